"""Room and load of the fake engine, for `FakeEngine` to have: an `engine.upkeep.Upkeep`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from cluster.capacity import Disk
from cluster.load import Load, Sample
from cluster.usage import KeptContainer, KeptImage, KeptVolume, Usage
from engine.docker_images import full_reference
from engine.fake_container import FakeImage
from engine.fake_registry import id_of
from engine.fake_world import World


class FakeUpkeep:
    """Its machine has the room of `data_disk` and the load of `machine_load`.

    A container is as busy as its image says, and a volume as large as `volume_sizes` does: else it is empty.
    """

    _clock: Callable[[], float]

    def __init__(self) -> None:
        self.data_disk = Disk("/var/lib/fake", 64 << 30, 48 << 30, unknown="")
        self.machine_load = Load(0.5, 2 << 30, 8 << 30)
        self.volume_sizes: dict[str, int] = {}

    def _call(self, name: str) -> AbstractAsyncContextManager[World]:
        raise NotImplementedError

    async def disk(self) -> Disk:
        async with self._call("disk"):
            return self.data_disk

    async def usage(self) -> Usage:
        async with self._call("usage") as world:
            containers = [
                KeptContainer(one.id, one.spec.name, world.image_id(one.spec.image), one.state, one.spec.labels, 0)
                for one in world.containers.values()
            ]
            users = Counter(container.image for container in containers)
            images = [_kept(name, image, users) for name, image in world.local.items()]
            volumes = [
                KeptVolume(one.name, one.labels, self.volume_sizes.get(one.name, 0), world.users_of(one.name))
                for one in world.volumes.values()
            ]
            size = sum(image.size for image in images)
            return Usage(tuple(images), tuple(containers), tuple(volumes), layers=size)

    async def remove_image(self, reference: str) -> None:
        async with self._call("remove_image") as world:
            world.remove_image(full_reference(reference))

    async def sample(self, container: str) -> Sample | None:
        async with self._call("sample") as world:
            found = world.find(container)
            if found is None or not found.running:
                return None
            now, image = self._clock() + world.skew, found.image
            return Sample(now, image.cpus * (now - found.started_at), image.memory, 8 << 30, 0, 0, 0, 0, 1)

    async def load(self) -> Load:
        async with self._call("load"):
            return self.machine_load


def _kept(name: str, image: FakeImage, users: Mapping[str, int]) -> KeptImage:
    id, by_digest = id_of(name, image), "@" in name
    return KeptImage(id, () if by_digest else (name,), (name,) if by_digest else (), image.size, 0, users.get(id, 0))
