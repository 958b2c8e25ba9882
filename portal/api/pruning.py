"""Has all machines put away what nothing needs, or says what that would be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import final

import anyio
from starlette.requests import Request
from typing_extensions import TypedDict

from actors.protocol import Accepted, Asked, NotePruned, Prune, Pruned, Refused, RemoveVolume
from actors.surveyor import SURVEYOR
from cluster.holding import held, holders
from cluster.model import Node, State
from cluster.pruning import Spent, spent, unnamed
from cluster.usage import KeptContainer, KeptImage, Usage
from portal import volumes
from portal.api.lines import Emit, End
from portal.api.problems import Problem, unanswered
from portal.api.requests import DEED, WRITE_TIMEOUT, backend_of, state_of
from portal.machines import Silent, ask_machine, at_all
from portal.usage import usage_of
from portal.volumes import KeptOn
from supervisor.errors import ActorError

SECONDS = 600.0
"""An engine may have many large images to remove."""

UNJUDGED = "keeps all: no manager says what is needed there; ask again when one does"
NOWHERE = "no machine has it; `gbnt volume ls` shows what is there"


@dataclass(frozen=True, slots=True)
class Pruning:
    """What may go: the body of a request for it.

    Beside ended containers and images that services used once, `all_images` that no container is of; the `volumes`
    named, or `all_volumes` that no stack names or may go back to. `only` are ids of containers and images: of what may
    go now no more than these go, so that nothing does that a person has not seen.
    """

    all_images: bool = False
    all_volumes: bool = False
    volumes: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None


class Gone(TypedDict):
    """A container or an image, and how much is free without it."""

    id: str
    name: str
    size: int


class Left(Gone):
    """One that stays, and why."""

    why: str


@final
class MachineLine(TypedDict):
    """What went from a machine, or would; nothing where `unknown` says why. At least `size` is free then."""

    node: str
    id: str
    unknown: str
    containers: list[Gone]
    images: list[Gone]
    size: int
    kept: list[Left]


@final
class VolumeLine(TypedDict):
    """What became of a volume, or would: `why` it may not go, the machines it was `removed` from, and those it was not.

    `size` is that on all its `nodes` together, null where one of them does not say.
    """

    volume: str
    nodes: list[str]
    size: int | None
    why: str
    removed: list[str]
    kept: list[KeptOn]


PruneLine = MachineLine | VolumeLine


@dataclass(slots=True)
class Tally:
    """What a pruning did so far, and what it could not."""

    containers: int = 0
    images: int = 0
    volumes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def count(self, containers: int, images: int) -> None:
        """Add what went from one machine."""
        self.containers += containers
        self.images += images

    @property
    def words(self) -> str:
        """All of it in a sentence."""
        return "; ".join((f"containers: {self.containers}, images: {self.images}", *self.volumes, *self.failed))


class Pruner:
    """One pruning: a line for each machine as soon as it is done there, and then one for each volume.

    A `dry` one says the same of what would go, and changes nothing. Engines may take minutes to say what they keep:
    what is needed is judged by the state after that, and `state` only tells the machines.
    """

    def __init__(self, request: Request, state: State, wanted: Pruning, *, dry: bool) -> None:
        self._request = request
        self._backend = backend_of(request)
        self._machines = state
        self._wanted = wanted
        self._dry = dry
        self._usages: dict[str, Usage] = {}
        self._tally = Tally()

    def so_far(self) -> str:
        """What went and what did not, in words."""
        return self._tally.words

    async def run(self, emit: Emit) -> End:
        """Volumes come last: an ended container is a user of one, too."""
        await at_all(self._machines, self._at, emit)
        chosen = unnamed(await state_of(self._request)) if self._wanted.all_volumes else []
        for name in dict.fromkeys((*self._wanted.volumes, *chosen)):
            await emit(await self._volume(name))
        return End("failed" if self._tally.failed else "done")

    async def _at(self, node: Node) -> MachineLine:
        try:
            usage = self._usages[node.id] = await usage_of(self._backend, node)
            state, cluster = await state_of(self._request), self._backend.identity.id
            found = spent(state, node.id, cluster, usage, all_images=self._wanted.all_images)
            if self._wanted.only is not None:
                found = found.only(self._wanted.only)
            kept = {} if self._dry else await self._remove(node, found)
        except Silent as why:
            self._tally.failed.append(f"{node.name} {why}")
            return _machine_line(node, str(why), Spent(), {})
        except Problem:
            self._tally.failed.append(f"{node.name} {UNJUDGED}")
            return _machine_line(node, UNJUDGED, Spent(), {})
        return _machine_line(node, "", found, kept)

    async def _remove(self, node: Node, found: Spent) -> Mapping[str, str]:
        """Why what stays does. Raises Silent."""
        if not found.parts:
            return {}
        containers = tuple(one.id for one in found.containers)
        images = {one.id: (*one.tags, *one.digests) for one in found.images}
        pruned = await ask_machine(self._backend, node, SURVEYOR, Prune(containers, images), Pruned, SECONDS)
        gone = [sum(one.id in pruned.gone for one in kind) for kind in (found.containers, found.images)]
        if any(gone):
            self._tally.count(*gone)
            # What is done is done, though nobody notes it, or the client has left.
            with suppress(Problem), anyio.CancelScope(shield=True):
                await self._order(node.name, NotePruned(node.id, *gone), begins=False)
        return pruned.kept

    async def _order(self, subject: str, message: object, *, begins: bool) -> object:
        """The Senate's answer to a part of it, which it keeps by itself."""
        deed = replace(self._request.scope[DEED], subject=subject)
        try:
            return await self._backend.ask("senate", Asked(message, deed, begins=begins), WRITE_TIMEOUT)
        except ActorError as error:
            raise unanswered(error, writing=True) from error

    async def _volume(self, name: str) -> VolumeLine:
        state = await state_of(self._request)
        there = [state.nodes[id] for id in holders(state, name)]
        line: VolumeLine = {
            "volume": name,
            "nodes": [node.name for node in there],
            "size": self._size(name, there),
            "why": held(state, name) or ("" if there else NOWHERE),
            "removed": [],
            "kept": [],
        }
        if self._dry or not there:
            return line
        reply = await self._order(name, RemoveVolume(name), begins=True)
        if isinstance(reply, Refused):
            self._tally.failed.append(reply.message)
            return {**line, "why": reply.message}
        assert isinstance(reply, Accepted)
        done = await volumes.remove(self._backend, await state_of(self._request), name)
        (self._tally.failed if done.kept else self._tally.volumes).append(f"volume {name} {done.words}")
        return {**line, "why": "", "removed": done.removed, "kept": done.kept_on}

    def _size(self, name: str, there: Iterable[Node]) -> int | None:
        """Of all its machines together; None where one of them does not say."""
        sizes = [self._usages[node.id].volume_sizes.get(name) if node.id in self._usages else None for node in there]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


def _machine_line(node: Node, unknown: str, found: Spent, kept: Mapping[str, str]) -> MachineLine:
    gone = found.only({one.id for one in found.parts} - kept.keys())
    return {
        "node": node.name,
        "id": node.id,
        "unknown": unknown,
        "containers": [_gone(one) for one in gone.containers],
        "images": [_gone(one) for one in gone.images],
        "size": gone.size,
        "kept": [{**_gone(one), "why": kept[one.id]} for one in found.parts if one.id in kept],
    }


def _gone(kept: KeptContainer | KeptImage) -> Gone:
    size = kept.size if isinstance(kept, KeptContainer) else kept.own
    return {"id": kept.id, "name": kept.name, "size": size}
