"""Every message that the cluster's actors exchange, named for what is wanted or what happened.

A request is answered by the value its docstring names, or by `Refused`: a refusal is a reply, never an exception.
`request` on a command is the caller's idempotency key: the same key again is answered as the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cluster.assignment import Assignment, Observation
from cluster.model import Event, Network, State
from cluster.reconcile import Reconciled
from cluster.spec import StackSpec, VolumeSpec
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


# -- a service's decisions -----------------------------------------------------------------------------------------


@message("service.plan/1")
@dataclass(frozen=True, slots=True)
class Plan:
    """What a service's actor decided on the state of revision `basis`. Steps that no longer fit are dropped."""

    service: str
    basis: int
    decided: Reconciled


# -- between the Senate's node actor and the machine's agent -------------------------------------------------------


@message("agent.register/1")
@dataclass(frozen=True, slots=True)
class RegisterAgent:
    """An agent (address `agent`) is there, in the life `boot`, and wants its assignments in full."""

    node: str
    agent: str
    boot: str


@message("agent.assign/1")
@dataclass(frozen=True, slots=True)
class Assign:
    """What one machine must bring about. `full` replaces all that was known; otherwise it is a change to it.

    `completed` names the services (stack/name) whose one-off work is done; `hold` keeps unknown containers.
    """

    epoch: int
    revision: int
    full: bool
    cluster: str
    assignments: tuple[Assignment, ...]
    gone: tuple[str, ...]
    networks: tuple[Network, ...]
    volumes: tuple[VolumeSpec, ...]
    remove_volumes: tuple[str, ...]
    completed: tuple[str, ...]
    hold: bool = False


@message("agent.observed/1")
@dataclass(frozen=True, slots=True)
class Observed:
    """An agent's reports; the Senate tells `agent` `Confirmed` when they are durable."""

    node: str
    agent: str
    batch: int
    seen: tuple[Observation, ...]


@message("agent.confirmed/1")
@dataclass(frozen=True, slots=True)
class Confirmed:
    """The reports of this batch are durable."""

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
