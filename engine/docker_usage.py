"""What Docker keeps, in the JSON of `/system/df`: as it was before API 1.52, and as it is since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from cluster.usage import KeptContainer, KeptImage, KeptVolume, Share, Usage

JSON = dict[str, Any]

NONE = "<none>"


def usage_of(found: JSON) -> Usage:
    """All that is kept."""
    containers = [_container(entry) for entry in _entries(found, "Containers", "ContainerUsage")]
    users = Counter(container.image for container in containers)
    images = [_image(entry, users[entry["Id"]]) for entry in _entries(found, "Images", "ImageUsage")]
    layers = found.get("LayersSize") or (found.get("ImageUsage") or {}).get("TotalSize") or 0
    return Usage(
        images=tuple(images),
        containers=tuple(containers),
        volumes=tuple(_volume(entry) for entry in _entries(found, "Volumes", "VolumeUsage")),
        cache=_cache(_entries(found, "BuildCache", "BuildCacheUsage")),
        layers=layers,
    )


def _entries(found: JSON, before: str, since: str) -> Sequence[JSON]:
    return found.get(before) or (found.get(since) or {}).get("Items") or ()


def _image(entry: JSON, containers: int) -> KeptImage:
    """One whose layers nobody has compared shares all of them, as far as anybody knows."""
    size, shared = entry["Size"], entry.get("SharedSize", -1)
    tags, digests = _named(entry.get("RepoTags")), _named(entry.get("RepoDigests"))
    return KeptImage(entry["Id"], tags, digests, size, shared if shared >= 0 else size, containers)


def _named(names: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(name for name in names or () if NONE not in name)


def _container(entry: JSON) -> KeptContainer:
    name = next(iter(entry.get("Names") or ()), entry["Id"][:12]).removeprefix("/")
    labels, size = entry.get("Labels") or {}, entry.get("SizeRw") or 0
    return KeptContainer(entry["Id"], name, entry["ImageID"], entry["State"], labels, size)


def _volume(entry: JSON) -> KeptVolume:
    """What is not known is -1 there."""
    told = entry.get("UsageData") or {}
    size, containers = told.get("Size", -1), told.get("RefCount", -1)
    return KeptVolume(
        entry["Name"], entry.get("Labels") or {}, size if size >= 0 else None, containers if containers >= 0 else None
    )


def _cache(records: Sequence[JSON]) -> Share:
    used = [record for record in records if record.get("InUse")]
    idle = [record for record in records if not record.get("InUse") and not record.get("Shared")]
    return Share(len(records), len(used), _sum(records), _sum(idle))


def _sum(records: Iterable[JSON]) -> int:
    return sum(record.get("Size") or 0 for record in records)
