"""Between who looks after all machines and the `surveyor` of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster.load import Load, Sample
from cluster.usage import Usage
from supervisor.message import message


@message("upkeep.want-usage/1")
@dataclass(frozen=True, slots=True)
class WantUsage:
    """What does the machine's engine keep? Answered by `UsageSeen` or `Failed`, once the engine has looked."""


@message("upkeep.usage-seen/1")
@dataclass(frozen=True, slots=True)
class UsageSeen:
    """All that it keeps."""

    usage: Usage


@message("upkeep.want-load/1")
@dataclass(frozen=True, slots=True)
class WantLoad:
    """How busy are the machine and these containers, by their ids? Answered by `LoadSeen` or `Failed`."""

    containers: tuple[str, ...]


@message("upkeep.load-seen/1")
@dataclass(frozen=True, slots=True)
class LoadSeen:
    """The machine's load, and the counters of those containers that run."""

    load: Load
    samples: Mapping[str, Sample] = field(default_factory=dict)


@message("upkeep.prune/1")
@dataclass(frozen=True, slots=True)
class Prune:
    """Remove these ended containers, by their ids, and then these images: all names of each, by its id.

    Answered by `Pruned`.
    """

    containers: tuple[str, ...]
    images: Mapping[str, tuple[str, ...]]


@message("upkeep.pruned/1")
@dataclass(frozen=True, slots=True)
class Pruned:
    """What is gone, by id, and why the rest is not, as the end of a sentence that begins with it."""

    gone: tuple[str, ...]
    kept: Mapping[str, str] = field(default_factory=dict)
