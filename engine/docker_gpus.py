"""GPUs in what an engine's `/info` says: those that people declared, those that it discovered, and a hint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from cluster.capacity import Gpus

EVERY = "all"
BY_UUID = ("GPU-", "MIG-")


def gpus(info: Mapping[str, Any]) -> tuple[Gpus, ...]:
    """The GPUs of an engine by its `/info`, by source and kind. CDI's are there from API 1.50 on."""
    return (*_declared(info.get("GenericResources") or ()), *_discovered(info.get("DiscoveredDevices") or ()))


def gpu_runtime(info: Mapping[str, Any]) -> str:
    """The runtime for GPUs that the engine has, if any. It is there without a card, too: a hint, and no more."""
    return "nvidia" if "nvidia" in (info.get("Runtimes") or ()) else ""


def _declared(resources: Any) -> Iterator[Gpus]:
    names, counts = defaultdict[str, list[str]](list), defaultdict[str, int](int)
    for resource in resources:
        if named := resource.get("NamedResourceSpec"):
            names[named["Kind"]].append(named["Value"])
            counts[named["Kind"]] += 1
        elif counted := resource.get("DiscreteResourceSpec"):
            counts[counted["Kind"]] += counted["Value"]
    for kind, count in sorted(counts.items()):
        if "gpu" in kind.lower():
            yield Gpus(kind, "declared", count, tuple(sorted(names[kind])))


def _discovered(devices: Any) -> Iterator[Gpus]:
    names = defaultdict[str, list[str]](list)
    for device in devices:
        kind, _, name = device["ID"].partition("=")
        vendor, _, what = kind.partition("/")
        # What is NVIDIA's for management gives its containers no card.
        if device["Source"] == "cdi" and what == "gpu" and not vendor.startswith("management."):
            names[kind].append(name)
    for kind, found in sorted(names.items()):
        cards = _cards(found)
        yield Gpus(kind, "discovered", len(cards), tuple(sorted(cards)))


def _cards(names: list[str]) -> list[str]:
    """Each card once: the usual specification names it by its index and by its id, and `all` is all of them.

    Where that is the only name there is one at least.
    """
    single = [name for name in names if name != EVERY]
    return [name for name in single if not name.startswith(BY_UUID)] or single or [EVERY]
