"""Commands to the Senate, and its two answers.

`request` on a command is the caller's idempotency key, unique among all callers: the same command under the same key
again is answered as the first time, and another command under it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from actors.protocol.registries import Brought
from cluster.compose.problem import Problem
from cluster.decide.decision import RefusalCode
from cluster.policy import Privileged
from cluster.sources import UNTOLD, Origin
from cluster.spec import StackSpec
from supervisor.message import message


@message("refused/1")
@dataclass(frozen=True, slots=True)
class Refused:
    """No, and why: `message` is a sentence with what to do next. `unknown`: it may have been done; ask again.

    `problems` are the parts of a spec that it is about.
    """

    code: RefusalCode
    message: str
    problems: tuple[Problem, ...] = ()


@message("accepted/1")
@dataclass(frozen=True, slots=True)
class Accepted:
    """Done and durable at `revision`. `changes` says by name what became of each part; empty when nothing changed."""

    revision: int
    changes: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, str] = field(default_factory=dict)


@message("stack.deploy/1")
@dataclass(frozen=True, slots=True)
class DeployStack:
    """Make the stack be as the spec says. `changes`: service -> created, updated, scaled, unchanged, kept, removed.

    `logins` are sign-ins to registries that came with it and are news. `ahead`: though no machine that is there could
    ever have its tasks, for one that is to come. `prune` removes the services that the spec has no more, which are kept
    else, but for those `aside`, which the file has and leaves out for now. `origin` is kept with the stack's revision.
    """

    spec: StackSpec
    logins: tuple[Brought, ...] = ()
    request: str = ""
    ahead: bool = False
    prune: bool = False
    origin: Origin = UNTOLD
    aside: tuple[str, ...] = ()


@message("stack.roll-back/1")
@dataclass(frozen=True, slots=True)
class RollBack:
    """Make the stack be as the revision `number` says, or as the last before the present one. `detail`: `to`, which.

    `newest` is the newest that whoever asks knows of: where there is another by now it is refused. `by` is the name of
    whose token this came with.
    """

    stack: str
    number: int | None = None
    newest: int | None = None
    by: str = ""
    request: str = ""


@message("stack.save/1")
@dataclass(frozen=True, slots=True)
class SaveDraft:
    """Keep a draft of the spec's stack; nothing is deployed. `refusals` say what keeps it from being, in words.

    One that somebody else saved is only replaced where `replaces` is the time when that was.
    """

    spec: StackSpec
    origin: Origin = UNTOLD
    request: str = ""
    refusals: tuple[str, ...] = ()
    replaces: float | None = None


@message("stack.drop-draft/1")
@dataclass(frozen=True, slots=True)
class DropDraft:
    """Forget the draft of a stack."""

    stack: str
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
    digest: str = ""
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


@message("config.remove/1")
@dataclass(frozen=True, slots=True)
class RemoveConfig:
    """Take a config that no service reads out of its stack. `changes` is {its name: removed}."""

    config: str
    request: str = ""


@message("volume.remove/1")
@dataclass(frozen=True, slots=True)
class RemoveVolume:
    """Give up a volume with all data in it, that no stack names and no task uses. The machines are asked after that."""

    volume: str
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


@message("token.bring/1")
@dataclass(frozen=True, slots=True)
class BringToken:
    """Keep the hash of a credential that an operator brought. `changes` is {token id: created, replaced, unchanged}.

    One that was revoked is refused: it would live again with each start.
    """

    id: str
    hash: str
    request: str = ""


@message("token.revoke/1")
@dataclass(frozen=True, slots=True)
class RevokeToken:
    """Make a credential worthless."""

    token: str
    request: str = ""


@message("token.use/1")
@dataclass(frozen=True, slots=True)
class UseToken:
    """A credential was used. Kept to the hour: a person asks whether it is still in use, not when exactly."""

    token: str


@message("join_token.issue/1")
@dataclass(frozen=True, slots=True)
class IssueJoinToken:
    """Let `uses` machines join as `role` until `expires_at`, by the token of this id. `changes` is {id: issued}."""

    id: str
    role: Literal["manager", "worker"]
    expires_at: float
    uses: int
    request: str = ""


@message("join_token.rotate/1")
@dataclass(frozen=True, slots=True)
class RotateJoinTokens:
    """The same, and every earlier token of that role is worthless from then on: {id: revoked} for each."""

    id: str
    role: Literal["manager", "worker"]
    expires_at: float
    uses: int
    request: str = ""


@message("join_token.revoke/1")
@dataclass(frozen=True, slots=True)
class RevokeJoinToken:
    """Make a join token worthless. Nodes that joined by it stay."""

    token: str
    request: str = ""


@message("node.admit/1")
@dataclass(frozen=True, slots=True)
class AdmitNode:
    """Use a join token once, and make a node's record. `detail` is its `node` id, `name` and `role`.

    `token` is the token's id and `key` the fingerprint of the node's public key. An empty `node` is given an id.
    """

    token: str
    key: str
    name: str
    address: str
    version: str = ""
    node: str = ""
    request: str = ""


@message("node.certify/1")
@dataclass(frozen=True, slots=True)
class CertifyNode:
    """Note the certificate that a member is about to be given. Refused for who is none."""

    node: str
    serial: str
    expires_at: float


@message("node.update/1")
@dataclass(frozen=True, slots=True)
class UpdateNode:
    """Change a machine's availability and role (empty: leave it), set `labels`, and take those of `unlabel` away.

    `node` is an id or a name.
    """

    node: str
    availability: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    unlabel: tuple[str, ...] = ()
    role: str = ""
    request: str = ""


@message("node.remove/1")
@dataclass(frozen=True, slots=True)
class RemoveNode:
    """Forget a machine that is down and has no tasks; by `force` whatever it does. Its link is to be closed then."""

    node: str
    force: bool = False
    request: str = ""


@message("node.leave/1")
@dataclass(frozen=True, slots=True)
class LeaveNode:
    """A machine leaves by its own word: it is emptied, and forgotten once it is empty; by `force` at once.

    `node` is its id. To be told again until it is gone; after that it changes nothing.
    """

    node: str
    force: bool = False


@message("loss.confirm/1")
@dataclass(frozen=True, slots=True)
class ConfirmLoss:
    """A person confirms that the machines are gone that were lost at once: their tasks are to be replaced.

    `changes` is by their names.
    """

    request: str = ""


@message("legion.update/1")
@dataclass(frozen=True, slots=True)
class UpdateLegion:
    """Change what holds for all machines; None leaves a setting as it is.

    Tasks are not replaced where more than `pause_above` percent of all machines are lost at once. `privileged`: whether
    stacks may use keys by which a container gets out of its walls.
    """

    pause_above: int | None = None
    privileged: Privileged | None = None
    request: str = ""


@message("node.pruned/1")
@dataclass(frozen=True, slots=True)
class NotePruned:
    """So many ended containers and images were removed from a machine, by its id, as a person asked for."""

    node: str
    containers: int
    images: int


@message("containers.release/1")
@dataclass(frozen=True, slots=True)
class ReleaseHeld:
    """A person confirms after a restore: containers that this state does not know may be removed."""

    request: str = ""
