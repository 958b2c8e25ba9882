"""What may go from an engine: containers of this cluster that ended, and images that its services used once.

What others have there stays, and so do volumes: those go by name (`cluster.decide.volumes`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from cluster.containers import ATTEMPT, CLUSTER, TASK, is_of
from cluster.decide.images import used_images
from cluster.holding import held, recalled, volumes_there
from cluster.images import Meant, in_full, kept_references
from cluster.model import State
from cluster.usage import KeptContainer, KeptImage, Usage

KeptT = TypeVar("KeptT", KeptContainer, KeptImage)

OVER = frozenset({"exited", "dead"})


@dataclass(frozen=True, slots=True)
class Spent:
    """What nothing needs on one machine."""

    containers: tuple[KeptContainer, ...] = ()
    images: tuple[KeptImage, ...] = ()

    @property
    def parts(self) -> tuple[KeptContainer | KeptImage, ...]:
        """All of it."""
        return (*self.containers, *self.images)

    @property
    def size(self) -> int:
        """So much is free without it, or more: what its images share with one another counts for none of them."""
        return sum(one.size for one in self.containers) + sum(one.own for one in self.images)

    def only(self, ids: Collection[str]) -> Spent:
        """Of these what was named."""
        return Spent(_named(self.containers, ids), _named(self.images, ids))


def spent(state: State, node: str, cluster: str, usage: Usage, *, all_images: bool = False) -> Spent:
    """What may go from the machine of that id. With `all_images` every image too that no container is of.

    Images of services and of what their stacks may go back to stay, whoever else used them.
    """
    containers = tuple(_ended(state, node, cluster, usage.containers))
    gone = {container.id for container in containers}
    in_use = {container.image for container in usage.containers if container.id not in gone}
    idle = [image for image in usage.images if image.id not in in_use]
    kept = Meant(kept_references(state))
    unneeded = [image for image in idle if image not in kept]
    return Spent(containers, tuple(unneeded if all_images else _our_own(state, unneeded)))


def unnamed(state: State) -> list[str]:
    """The volumes that no stack names or may go back to, no draft names, and no task uses."""
    return sorted(volume for volume in volumes_there(state) - recalled(state) if not held(state, volume))


def _ended(state: State, node: str, cluster: str, containers: Iterable[KeptContainer]) -> Iterator[KeptContainer]:
    """The ended containers of tasks, but for the last of one that goes on: from that it knows how it stands.

    One of no known task is its agent's to put away, or is held until a person confirms a restore.
    """
    by_task = defaultdict[str, list[KeptContainer]](list)
    for container in containers:
        if container.labels.get(CLUSTER) == cluster and is_of(container.labels, node):
            by_task[container.labels.get(TASK, "")].append(container)
    for id, mine in by_task.items():
        task = state.tasks.get(id)
        if task is None or task.node != node:
            continue
        mine.sort(key=_attempt)
        last = set[str]() if task.ended else {mine[-1].id, task.container_id}
        yield from (one for one in mine if one.state in OVER and one.id not in last)


def _attempt(container: KeptContainer) -> int:
    text = container.labels.get(ATTEMPT, "")
    return int(text) if text.isdecimal() else 0


def _our_own(state: State, images: Iterable[KeptImage]) -> Iterator[KeptImage]:
    """Those that a service used once and that nobody gave a name of his own since."""
    used = used_images(state.settings)
    ours, names = Meant(used), {in_full(image) for image in used.values() if "@" not in image}
    return (image for image in images if image in ours and all(in_full(tag) in names for tag in image.tags))


def _named(kept: tuple[KeptT, ...], ids: Collection[str]) -> tuple[KeptT, ...]:
    return tuple(one for one in kept if one.id in ids)
