"""Every message that the cluster's actors exchange, named for what is wanted or what happened.

A request is answered by the value its docstring names, or by `Refused`: a refusal is a reply, never an exception.
`request` on a command is the caller's idempotency key: the same key again is answered as the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cluster.assignment import Assignment, Observation
from cluster.model import Event, Network, Service, State, Task
from cluster.reconcile import Reconciled
from cluster.spec import PullPolicy, StackSpec, VolumeSpec
from engine.port import ContainerInfo, EngineEvent
from supervisor.message import message

RefusalCode = Literal["not_found", "conflict", "invalid", "unavailable", "unknown"]


@message("refused/1")
@dataclass(frozen=True, slots=True)
class Refused:
    """No, and why: `message` is a sentence with what to do next. `unknown`: it may have been done; ask again."""

    code: RefusalCode
    message: str


@message("accepted/1")
@dataclass(frozen=True, slots=True)
class Accepted:
    """Done and durable at `revision`. `changes` says by name what became of each part; empty when nothing changed."""

    revision: int
    changes: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, str] = field(default_factory=dict)


# -- commands to the Senate: each answered by Accepted or Refused --------------------------------------------------


@message("stack.deploy/1")
@dataclass(frozen=True, slots=True)
class DeployStack:
    """Make the stack be as the spec says. `changes`: service -> created, updated, scaled, unchanged, removed."""

    spec: StackSpec
    request: str = ""


@message("stack.remove/1")
@dataclass(frozen=True, slots=True)
class RemoveStack:
    """Remove a stack's tasks and networks, and the named volumes. Accepted means begun: gone when the stack is."""

    stack: str
    volumes: tuple[str, ...] = ()
    request: str = ""


@message("stack.hold/1")
@dataclass(frozen=True, slots=True)
class HoldStack:
    """Keep all services of a stack down (`stopped`), or let them run again."""

    stack: str
    stopped: bool
    request: str = ""


@message("service.hold/1")
@dataclass(frozen=True, slots=True)
class HoldService:
    """Keep a service down (`stopped`), or let it run again. `service` is `stack/name`, as in all that follow."""

    service: str
    stopped: bool
    request: str = ""


@message("service.scale/1")
@dataclass(frozen=True, slots=True)
class ScaleService:
    """Run this many replicas."""

    service: str
    replicas: int
    request: str = ""


@message("service.update/1")
@dataclass(frozen=True, slots=True)
class UpdateService:
    """Roll the service over: to another image, or (`force`) to new containers of the same spec."""

    service: str
    image: str = ""
    image_id: str = ""
    force: bool = False
    request: str = ""


@message("service.remove/1")
@dataclass(frozen=True, slots=True)
class RemoveService:
    """Remove one service and its tasks from its stack."""

    service: str
    request: str = ""


@message("task.stop/1")
@dataclass(frozen=True, slots=True)
class StopTask:
    """Stop a task's container for good; its service replaces it. `task` is an id or a unique beginning of one."""

    task: str
    request: str = ""


@message("token.create/1")
@dataclass(frozen=True, slots=True)
class CreateToken:
    """Keep a new credential's hash. `changes` is {token id: created}."""

    id: str
    name: str
    role: Literal["admin", "operator", "viewer"]
    hash: str
    expires_at: float = 0.0
    first: bool = False
    request: str = ""


@message("token.revoke/1")
@dataclass(frozen=True, slots=True)
class RevokeToken:
    """Make a credential worthless."""

    token: str
    request: str = ""


@message("containers.release/1")
@dataclass(frozen=True, slots=True)
class ReleaseHeld:
    """A person confirms after a restore: containers that this state does not know may be removed."""

    request: str = ""


# -- questions to the Senate ---------------------------------------------------------------------------------------


@message("state.get/1")
@dataclass(frozen=True, slots=True)
class GetState:
    """Answered by the present `State`."""


@message("events.get/1")
@dataclass(frozen=True, slots=True)
class GetEvents:
    """Answered by `Events`: the first `limit` after the revision."""

    after: int = 0
    limit: int = 1000


@message("events/1")
@dataclass(frozen=True, slots=True)
class Events:
    """Events in order; `compacted` is the revision up to which older ones are gone."""

    events: tuple[Event, ...]
    compacted: int = 0


@message("snapshot.create/1")
@dataclass(frozen=True, slots=True)
class CreateSnapshot:
    """To the `snapshots` actor: answered by `SnapshotMade` or Refused."""

    reason: str = "requested"


@message("snapshot.made/1")
@dataclass(frozen=True, slots=True)
class SnapshotMade:
    """A snapshot is durable."""

    name: str
    size: int
    revision: int
    created_at: float


@message("snapshots.list/1")
@dataclass(frozen=True, slots=True)
class ListSnapshots:
    """To the `snapshots` actor: answered by `SnapshotList`."""


@message("snapshots/1")
@dataclass(frozen=True, slots=True)
class SnapshotList:
    """The snapshots that are kept, newest first."""

    snapshots: tuple[SnapshotMade, ...]


# -- following the Senate ------------------------------------------------------------------------------------------


@message("state.follow/1")
@dataclass(frozen=True, slots=True)
class Follow:
    """Tell `follower` (an address) every committed state from now on, beginning with the present one."""

    follower: str


@message("state.unfollow/1")
@dataclass(frozen=True, slots=True)
class Unfollow:
    """No more of them."""

    follower: str


@message("state.committed/1")
@dataclass(frozen=True, slots=True)
class Committed:
    """A state that is durable, and what happened on the way to it from the one before."""

    state: State
    events: tuple[Event, ...] = ()


@message("task.progress/1")
@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task's pull is, told to followers and kept nowhere."""

    task: str
    message: str
    fraction: float


# -- services and nodes: each sees its own part of the state --------------------------------------------------------


@message("service.view/1")
@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service and all of its tasks, as committed at `revision`."""

    revision: int
    service: Service
    tasks: tuple[Task, ...]


@message("service.plan/1")
@dataclass(frozen=True, slots=True)
class Plan:
    """What a service's actor decided on the state of revision `basis`. Steps that no longer fit are dropped."""

    service: str
    basis: int
    decided: Reconciled


@dataclass(frozen=True, slots=True)
class StackVolumes:
    """A stack's volumes by their keys in its file."""

    stack: str
    volumes: Mapping[str, VolumeSpec]


@message("node.view/1")
@dataclass(frozen=True, slots=True)
class NodeView:
    """What one machine must bring about, as committed at `revision`. See `Assign` for the fields."""

    revision: int
    epoch: int
    node: str
    assignments: tuple[Assignment, ...]
    networks: tuple[Network, ...]
    volumes: tuple[StackVolumes, ...]
    remove_volumes: tuple[str, ...]
    completed: tuple[str, ...]
    hold: bool


@message("view.want/1")
@dataclass(frozen=True, slots=True)
class WantView:
    """From a new incarnation of a service's or node's actor to the dispatcher: show me my part of the state."""

    key: str


# -- between the cluster and the machine's agent --------------------------------------------------------------------


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

    Networks and volumes are always complete. `completed` names the services (stack/name) whose one-off work is done;
    `hold` keeps containers that no assignment knows.
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


@message("agent.observed/1")
@dataclass(frozen=True, slots=True)
class Observed:
    """An agent's observations; the Senate tells `agent` `Confirmed` when they are durable."""

    node: str
    agent: str
    batch: int
    seen: tuple[Observation, ...]


@message("agent.confirmed/1")
@dataclass(frozen=True, slots=True)
class Confirmed:
    """The observations of this batch are durable."""

    batch: int


@message("node.report/1")
@dataclass(frozen=True, slots=True)
class NodeReport:
    """What an agent knows of its machine and engine. Empty engine fields mean that the engine does not answer."""

    node: str
    name: str
    address: str
    status: Literal["ready", "unavailable"]
    message: str
    engine_version: str = ""
    engine_api: str = ""
    engine_id: str = ""
    os: str = ""
    arch: str = ""
    cpus: int = 0
    memory: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    used_subnets: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


# -- inside one machine ---------------------------------------------------------------------------------------------


@message("task.born/1")
@dataclass(frozen=True, slots=True)
class TaskBorn:
    """A task's actor is there and wants its assignment: from its new incarnation to the agent."""

    task: str


@message("task.take/1")
@dataclass(frozen=True, slots=True)
class Take:
    """What a task's actor must bring about. `waiting_for` names what must be up first, empty when all is."""

    assignment: Assignment
    waiting_for: str


@message("task.containers/1")
@dataclass(frozen=True, slots=True)
class Containers:
    """All containers of one task, as the engine lists them now."""

    containers: tuple[ContainerInfo, ...]


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
    """To the `images` actor: have this image here. Answered by `ImageHere` or `Failed`."""

    image: str
    policy: PullPolicy
    task: str


@message("image.here/1")
@dataclass(frozen=True, slots=True)
class ImageHere:
    """The image is on this machine."""

    id: str


@message("failed/1")
@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be done, and why. `down`: because the engine does not answer."""

    reason: str
    down: bool = False


@message("done/1")
@dataclass(frozen=True, slots=True)
class DoneWell:
    """It was done."""


@message("provisions.want/1")
@dataclass(frozen=True, slots=True)
class WantProvisions:
    """To the `provisions` actor: have these networks and volumes here. Answered by `DoneWell` or `Failed`."""

    networks: tuple[Network, ...]
    external: tuple[str, ...]
    volumes: tuple[VolumeSpec, ...]


@message("provisions.keep/1")
@dataclass(frozen=True, slots=True)
class KeepProvisions:
    """To the `provisions` actor: remove the cluster's networks that are not named here, and the volumes that are."""

    networks: tuple[str, ...]
    remove_volumes: tuple[str, ...]


@message("provisions.now/1")
@dataclass(frozen=True, slots=True)
class ProvisionsNow:
    """From the `provisions` actor to the agent: the cluster's networks and volumes that are here, all subnets in use."""

    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    used_subnets: tuple[str, ...]
