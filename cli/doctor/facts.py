"""What a machine shows of itself, before anybody judges it. Sizes are in bytes, times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cli.doctor.finding import Unseen


@dataclass(frozen=True, slots=True)
class Port:
    """A TCP port of this machine that gbnt listens on, for the purpose `use`.

    `holder` names the process that has it, empty where it is free; `ours` where that is a gbnt.
    """

    number: int
    use: str
    holder: str | Unseen = ""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """A try to connect to `target` (HOST:PORT); `failure` is why it failed, empty where it did not.

    `silent` where nothing came back at all, as behind a firewall that drops.
    """

    target: str
    failure: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Back:
    """What the manager found when it connected to the link port of this machine.

    `heard` is whether this machine saw it come, None where it could not look. `name_taken` where another node has
    this machine's name.
    """

    target: str
    reached: bool
    reason: str
    heard: bool | None
    name_taken: bool


@dataclass(frozen=True, slots=True)
class Manager:
    """A manager as this machine sees it, and this machine as the manager does.

    `ahead` is the clock here minus the one there.
    """

    name: str
    reaches: tuple[Reach, ...]
    ahead: float | Unseen
    back: Back | Unseen


@dataclass(frozen=True, slots=True)
class Down:
    """An engine that does not answer."""

    why: str


@dataclass(frozen=True, slots=True)
class EngineNetwork:
    """A network of the engine; `ours` where gbnt made it."""

    name: str
    subnets: tuple[str, ...]
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Engine:
    """The container engine. `refused` says why gbnt cannot speak with it, empty where it can.

    `cgroups` is their version, `limits` whether those of memory and CPU are kept, `swarm` the state of its Swarm node.
    `root` is the folder on this machine where it keeps its data, empty where it is another machine's.
    """

    version: str
    refused: str = ""
    rootless: bool = False
    driver: str = ""
    cgroups: str = ""
    limits: bool = False
    live_restore: bool = False
    swarm: str = ""
    root: str = ""
    networks: tuple[EngineNetwork, ...] = ()


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel's features by their modules' names, from several sources; a source that is not there is None.

    `config` has its build options (`y` or `m`), `present` what is loaded or otherwise seen to work, `builtin` and
    `loadable` what its folder of modules lists.
    """

    release: str
    present: frozenset[str]
    config: Mapping[str, str] | None = None
    builtin: frozenset[str] | None = None
    loadable: frozenset[str] | None = None
    forwards: bool | Unseen = True


@dataclass(frozen=True, slots=True)
class Rule:
    """Ports that a firewall lets in, or keeps out. An empty protocol is every one, an empty `source` is everybody."""

    first: int
    last: int
    protocol: str
    source: str = ""
    allows: bool = True


@dataclass(frozen=True, slots=True)
class Firewall:
    """A firewall that is active; of firewalld one zone. The first rule counts; `open` lets in what none is about."""

    tool: Literal["ufw", "firewalld"]
    open: bool
    rules: tuple[Rule, ...]
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Space:
    """A file system, by what lies on it. `inodes` is 0 where it does not count them."""

    use: str
    path: str
    size: int
    free: int
    inodes: int
    free_inodes: int


@dataclass(frozen=True, slots=True)
class Memory:
    """The machine's memory, and what programs may still have of it."""

    total: int
    available: int


@dataclass(frozen=True, slots=True)
class Route:
    """A range (CIDR) that this machine reaches through a device."""

    subnet: str
    device: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it. `pool` is the range (CIDR) that the cluster's networks are cut from; `role` is empty where unknown."""

    role: str
    pool: str
    ports: tuple[Port, ...]
    manager: Manager | None
    engine: Engine | Down | Unseen
    kernel: Kernel
    firewalls: tuple[Firewall, ...] | Unseen
    spaces: tuple[Space | Unseen, ...]
    memory: Memory | Unseen
    routes: tuple[Route, ...] | Unseen
    synchronised: bool | Unseen
