"""What an engine keeps on its disk, and how much of it nothing needs. Sizes are in bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["images", "containers", "volumes", "cache"]

UP = frozenset({"running", "paused", "restarting"})


@dataclass(frozen=True, slots=True)
class KeptImage:
    """An image by its id, its `tags` and its `digests` (REPOSITORY@DIGEST). `containers` are how many are of it.

    `shared` is what of its size is in layers that other images have, too.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    size: int
    shared: int
    containers: int

    @property
    def own(self) -> int:
        """What goes with it for certain."""
        return max(0, self.size - self.shared)

    @property
    def name(self) -> str:
        """What a person knows it by: a tag, a digest, or the beginning of its id."""
        return next(iter((*self.tags, *self.digests)), self.id.removeprefix("sha256:")[:12])


@dataclass(frozen=True, slots=True)
class KeptContainer:
    """A container, ended ones too; `image` is the id of its image, `size` what it wrote beside its volumes."""

    id: str
    name: str
    image: str
    state: str
    labels: Mapping[str, str]
    size: int


@dataclass(frozen=True, slots=True)
class KeptVolume:
    """A volume. Its size is None where its driver does not tell, and `containers` where nobody counts them."""

    name: str
    labels: Mapping[str, str]
    size: int | None
    containers: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """One kind of what is kept: how many, how many in use, how large, and what would be free without the others.

    That is no less than so much: where unused images share layers it is more. `unsized` have a size that nobody knows.
    """

    number: int = 0
    in_use: int = 0
    size: int = 0
    reclaimable: int = 0
    unsized: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(
            self.number + other.number,
            self.in_use + other.in_use,
            self.size + other.size,
            self.reclaimable + other.reclaimable,
            self.unsized + other.unsized,
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """All that an engine keeps. `layers` is the size of all images together, what they share counted once.

    The cache of builds is not gbnt's to look into: it is a sum.
    """

    images: tuple[KeptImage, ...] = ()
    containers: tuple[KeptContainer, ...] = ()
    volumes: tuple[KeptVolume, ...] = ()
    cache: Share = field(default_factory=Share)
    layers: int = 0

    @property
    def volume_sizes(self) -> dict[str, int | None]:
        """How large each volume is, by its name."""
        return {volume.name: volume.size for volume in self.volumes}


def shares(usage: Usage) -> dict[Kind, Share]:
    """The sums, by kind."""
    return {
        "images": _images(usage),
        "containers": _containers(usage.containers),
        "volumes": _volumes(usage.volumes),
        "cache": usage.cache,
    }


def _images(usage: Usage) -> Share:
    used = sum(image.containers > 0 for image in usage.images)
    idle = sum(image.own for image in usage.images if not image.containers)
    return Share(len(usage.images), used, usage.layers, idle)


def _containers(containers: tuple[KeptContainer, ...]) -> Share:
    ended = [one for one in containers if one.state not in UP]
    size = sum(one.size for one in containers)
    return Share(len(containers), len(containers) - len(ended), size, sum(one.size for one in ended))


def _volumes(volumes: tuple[KeptVolume, ...]) -> Share:
    """Of one whose containers nobody counts it is not said that it could go."""
    idle = [one for one in volumes if one.containers == 0]
    unsized = sum(one.size is None for one in volumes)
    return Share(len(volumes), len(volumes) - len(idle), _sum(volumes), _sum(idle), unsized)


def _sum(volumes: Iterable[KeptVolume]) -> int:
    return sum(one.size or 0 for one in volumes)
