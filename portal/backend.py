"""What the doors need of the node behind them: ports, filled in where a node is wired together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from actors.keyring import Vault
from actors.protocol import Progress
from actors.stream import Stream
from cluster.container import ExecSpec
from cluster.event import Event
from cluster.model import State, Task
from cluster.pinning import Resolved
from cluster.registries import Credential
from portal.gate import Gate
from portal.meters import Meters
from supervisor.inspection import ActorInfo


class EngineFailed(Exception):
    """The container engine did not do what it was asked. The text is one sentence for a person."""


class Unreached(EngineFailed):
    """The engine or its machine does not answer, or the way to it broke: what is left may be had later."""


class TooSlow(Exception):
    """A follower read more slowly than the cluster changed, and was cut off rather than buffered without end."""


@dataclass(frozen=True, slots=True)
class Told:
    """A commit, as its followers are told of it, in order and without a gap; `events` are what happened with it.

    `state` is what it made, or None where a later one waits to be read: what a follower missed is history by then.
    """

    revision: int
    epoch: int
    events: tuple[Event, ...]
    state: State | None


class LogLine(Protocol):
    """One line of a container's output. `at` is an RFC 3339 time stamp in UTC."""

    @property
    def at(self) -> str:
        """When it was written."""

    @property
    def stream(self) -> str:
        """`stdout` or `stderr`."""

    @property
    def text(self) -> str:
        """The line, without its end."""


class Ask(Protocol):
    """Asks the actor at `path`. Raises supervisor.errors.ActorError where no answer comes."""

    async def __call__(self, path: str, message: object, timeout: float) -> object:
        """The actor's reply, within `timeout` seconds."""


class AskNode(Protocol):
    """Asks the actor at `path` of any node. Raises supervisor.errors.ActorError where no answer comes."""

    async def __call__(self, node: str, path: str, message: object, timeout: float) -> object:
        """The actor's reply, within `timeout` seconds."""


class Logs(Protocol):
    """Reads the output of one container of a task, on whichever machine it is. Raises EngineFailed, or Unreached."""

    def __call__(
        self, task: Task, container: str, *, follow: bool, tail: int | None, since: float
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        """Its lines in order, the last `tail` of those after `since` (seconds since the epoch), then new ones.

        They come as many at a time as are there. Who reads slowly holds up what is read, and the reader closes the
        generator when it has had enough.
        """


class Exec(Protocol):
    """Runs a command in a container of a task, on whichever machine it is."""

    def __call__(self, task: Task, container: str, spec: ExecSpec) -> AbstractAsyncContextManager[Stream]:
        """The stream to the command: `Typed`, `TypedAll` and `Resized` to it, `Printed` from it, at last `Exited`.

        `Failed` comes in the place of what could not be done. Raises Unreached where its machine does not answer.
        Leaving the context lets go of the command; no exception may leave it.
        """


class Build(Protocol):
    """Builds an image from a tar stream. Raises EngineFailed with the step that failed."""

    def __call__(self, context: AsyncIterator[bytes], tag: str, options: Mapping[str, str]) -> AsyncIterator[str]:
        """The engine's output, line by line; the image is there when it ends."""


class Registries(Protocol):
    """Asks registries, by this node's engine."""

    async def digest(self, image: str, credential: Credential | None) -> Resolved:
        """What an image's tag means there now, or why that is not known."""

    async def sign_in(self, registry: str, credential: Credential) -> None:
        """Show a registry a credential. Raises EngineFailed unless it takes that."""


Follow = Callable[[], AbstractAsyncContextManager[AsyncIterator[Told | Progress]]]


@dataclass(frozen=True, slots=True)
class Check:
    """How one part of a node is. `detail` is a sentence that may be shown to anybody."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers: the cluster's name and lasting id, this node's id, and gbnt's version."""

    cluster: str
    id: str
    node: str
    version: str


@dataclass(frozen=True, slots=True)
class Backend:
    """A node as its doors see it.

    `follow` gives commits and progress until its context is left, raising TooSlow. `image_id` is the content
    id of a local image. `vault` seals sign-ins to `registries`, which are kept so alone. `first_sign_in` is called when
    the first credential is used; it may be called again after a restart. `meters` take what is measured. `checks` are
    asked by `/ready`, each by its name; `clock` is the time of day. `gate` lets machines join; none where this node is
    not to.
    """

    identity: Identity
    ask: Ask
    ask_node: AskNode
    follow: Follow
    inspect: Callable[[str], Sequence[ActorInfo]]
    logs: Logs
    exec: Exec
    build: Build
    image_id: Callable[[str], Awaitable[str]]
    registries: Registries
    vault: Vault
    first_sign_in: Callable[[], Awaitable[None]]
    clock: Callable[[], float]
    dead_letters: Callable[[], Mapping[str, int]]
    meters: Meters
    checks: Mapping[str, Callable[[], Awaitable[Check]]] = field(default_factory=dict)
    gate: Gate | None = None
