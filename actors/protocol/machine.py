"""Between the cluster and one machine's agent, and inside that machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from actors.protocol.views import StackVolumes
from cluster.assignment import Assignment, Elsewhere, Observation
from cluster.capacity import Disk, Gpus
from cluster.model import Network
from cluster.registries import Trouble
from cluster.spec import PullPolicy, VolumeSpec
from cluster.zones import Zones
from engine.port import ContainerInfo, EngineEvent
from supervisor.message import message


@message("agent.register/1")
@dataclass(frozen=True, slots=True)
class RegisterAgent:
    """An agent (address `agent`) is there and wants its assignments in full. `boot` differs for each of its lives."""

    node: str
    agent: str
    boot: str


@message("agent.assign/1")
@dataclass(frozen=True, slots=True)
class Assign:
    """What one machine must bring about. `full` replaces all assignments known; otherwise they are changes to them.

    Networks and volumes are always complete, and so is `elsewhere`: of each service that these tasks wait for, how far
    it is on other machines. `hold` keeps containers that no assignment knows. `completed` names the services
    (stack/name) whose one-off work is done, for agents of a release that knows no `elsewhere`.
    """

    epoch: int
    revision: int
    full: bool
    assignments: tuple[Assignment, ...]
    gone: tuple[str, ...]
    networks: tuple[Network, ...]
    volumes: tuple[StackVolumes, ...]
    remove_volumes: tuple[str, ...]
    completed: tuple[str, ...]
    hold: bool = False
    elsewhere: tuple[Elsewhere, ...] = ()


@message("agent.observed/1")
@dataclass(frozen=True, slots=True)
class Observed:
    """An agent's observations; the Senate tells `agent` `Confirmed` when they are durable."""

    node: str
    agent: str
    batch: int
    seen: tuple[Observation, ...]


@message("agent.want-paths/1")
@dataclass(frozen=True, slots=True)
class WantPaths:
    """Ask a machine's agent which of these absolute paths are there; it answers `PathsSeen`."""

    paths: tuple[str, ...]


@message("agent.paths-seen/1")
@dataclass(frozen=True, slots=True)
class PathsSeen:
    """The paths that are missing there; `unknown` says why nobody can tell."""

    missing: tuple[str, ...] = ()
    unknown: str = ""


@message("agent.confirmed/1")
@dataclass(frozen=True, slots=True)
class Confirmed:
    """The observations of this batch are durable.

    But those of tasks that are `ahead`: their records have these sequences, and are of a later word than was told.
    """

    batch: int
    ahead: Mapping[str, int] = field(default_factory=dict)


@message("node.report/1")
@dataclass(frozen=True, slots=True)
class NodeReport:
    """What an agent knows of its machine and engine. Empty engine fields mean that the engine does not answer."""

    node: str
    name: str
    address: str
    status: Literal["starting", "ready", "unavailable"]
    message: str
    engine_version: str = ""
    engine_api: str = ""
    engine_id: str = ""
    os: str = ""
    arch: str = ""
    cpus: int = 0
    memory: int = 0
    disk: Disk = field(default_factory=Disk)
    gpus: tuple[Gpus, ...] = ()
    gpu_runtime: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    used_subnets: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    stuck: Mapping[str, str] = field(default_factory=dict)
    role: Literal["manager", "worker"] = "manager"
    version: str = ""
    link_port: int = 0


@message("names.want/1")
@dataclass(frozen=True, slots=True)
class WantNames:
    """From a machine's `resolver` actor (its address) to the dispatcher: tell me the names unless I am at `serial`.

    It is told of each change from then on.
    """

    node: str
    resolver: str
    serial: int


@message("names.now/1")
@dataclass(frozen=True, slots=True)
class NamesNow:
    """To a machine's `resolver` actor: all that its resolver answers by from now on."""

    zones: Zones


@message("task.born/1")
@dataclass(frozen=True, slots=True)
class TaskBorn:
    """A task's actor is there and wants its assignment: from its new incarnation to the agent."""

    task: str


@message("task.take/1")
@dataclass(frozen=True, slots=True)
class Take:
    """What a task's actor must bring about.

    `waiting_for` names what must be up first, empty when all is; `hopeless` says why that will not come by itself.
    `held` is what must come before anything is started, even what ran already; `halted`: nor may it run on.
    """

    assignment: Assignment
    waiting_for: str
    hopeless: str = ""
    held: str = ""
    halted: bool = False


@message("task.engine_gone/1")
@dataclass(frozen=True, slots=True)
class EngineGone:
    """To every task's actor: the engine ended, or its event stream broke."""


@message("task.overtaken/1")
@dataclass(frozen=True, slots=True)
class Overtaken:
    """To a task's actor: its record has this sequence already."""

    sequence: int


@message("task.containers/1")
@dataclass(frozen=True, slots=True)
class Containers:
    """All containers of the cluster, or of one task, as the engine had them when it was asked.

    That was `at` a time of the runtime's own clock, which goes on whatever the time of day is set to.
    """

    containers: tuple[ContainerInfo, ...]
    at: float


@message("task.event/1")
@dataclass(frozen=True, slots=True)
class Happened:
    """The engine says that something happened to a container of this task."""

    event: EngineEvent


@message("task.noticed/1")
@dataclass(frozen=True, slots=True)
class Noticed:
    """From a task's actor to the agent: what the cluster should know of it."""

    seen: Observation


@message("image.want/1")
@dataclass(frozen=True, slots=True)
class WantImage:
    """To the `images` actor: have this image here for a task of this stack. Answered by `ImageHere` or `Failed`.

    `platform` is what it is to be made for, where that is not the engine's own.
    """

    image: str
    policy: PullPolicy
    task: str
    stack: str = ""
    platform: str = ""


@message("image.here/1")
@dataclass(frozen=True, slots=True)
class ImageHere:
    """The image is on this machine."""

    id: str


@message("failed/1")
@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be done, and why. `down`: because the engine does not answer; `trouble`: because of a registry."""

    reason: str
    down: bool = False
    trouble: Trouble = ""


@message("done/1")
@dataclass(frozen=True, slots=True)
class DoneWell:
    """It was done."""


@message("provisions.want/1")
@dataclass(frozen=True, slots=True)
class WantProvisions:
    """To the `provisions` actor: have these networks and volumes here. Answered by `DoneWell` or `Failed`.

    `afresh`: look again, for one of them was found missing.
    """

    networks: tuple[Network, ...]
    external: tuple[str, ...]
    volumes: tuple[VolumeSpec, ...]
    afresh: bool = False


@message("provisions.keep/1")
@dataclass(frozen=True, slots=True)
class KeepProvisions:
    """To the `provisions` actor: remove the cluster's networks that are not named here, and the volumes that are."""

    networks: tuple[str, ...]
    remove_volumes: tuple[str, ...]


@message("provisions.drop/1")
@dataclass(frozen=True, slots=True)
class DropVolume:
    """To the `provisions` actor: remove this volume of the cluster, and its data. Answered by `DoneWell` or `Failed`.

    One that is gone is fine.
    """

    volume: str


@message("provisions.now/1")
@dataclass(frozen=True, slots=True)
class ProvisionsNow:
    """From the `provisions` actor to the agent: the cluster's networks and volumes that are here, others' subnets.

    `other_volumes` are those that somebody else made: a stack may name one. `stuck` says of each that should be gone
    why it is not, in a sentence for a person.
    """

    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    used_subnets: tuple[str, ...]
    other_volumes: tuple[str, ...] = ()
    stuck: Mapping[str, str] = field(default_factory=dict)
