"""What the cluster is: the records that the Senate keeps, and one immutable snapshot of all of them.

Desired and observed live in one record but have one owner each: `desired` is the Senate's, `state` and what comes
with it are the agent's once the task is assigned. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Literal

from cluster.capacity import Disk, Gpus
from cluster.container import PortBinding
from cluster.registries import login_key
from cluster.revisions import StackDraft, StackRevision
from cluster.spec import ServiceSpec, StackSpec
from cluster.tasks import Tasks, by_service
from cluster.users import User, UserRole

TaskState = Literal[
    "pending", "assigned", "preparing", "starting", "running", "complete", "failed", "stopped", "rejected", "lost"
]
Desired = Literal["ready", "run", "stop", "remove"]
Health = Literal["", "starting", "healthy", "unhealthy"]
Availability = Literal["active", "pause", "drain", "maintenance"]
Role = Literal["manager", "worker"]
NodeStatus = Literal["starting", "ready", "unavailable", "returning", "down"]
UpdateState = Literal["", "updating", "completed"]

ENDED: frozenset[TaskState] = frozenset({"complete", "failed", "stopped", "rejected", "lost"})


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port that a task really has on its machine."""

    target: int
    protocol: str
    host_ip: str
    host_port: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One container of a task that has ended, kept so that a person can ask what happened."""

    number: int
    container_id: str
    container_name: str
    exit_code: int | None
    reason: str
    started_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class Task:
    """One replica's life on one machine: (service, slot, revision). A restart by the agent is another attempt.

    `why` is the Senate's reason for `desired`, `message` the agent's words for `state`. `unknown` is the Senate's, too:
    why nothing is known of the task now, for its machine is down or its engine does not answer. `forsaken`: so much so
    that its slot gets another. `gpus` are the cards that it has of its machine, as `cluster.gpus` calls them. `request`
    is the id of the API's request by which it is wanted so.
    """

    id: str
    stack: str
    service: str
    slot: int
    revision: str
    generation: int
    node: str
    desired: Desired
    state: TaskState
    message: str
    created_at: float
    since: float
    why: str = ""
    ready: bool = False
    attempt: int = 1
    sequence: int = 0
    crashes: int = 0
    problem: str = ""
    restart_at: float | None = None
    health: Health = ""
    container_id: str = ""
    container_name: str = ""
    exit_code: int | None = None
    started_at: float = 0.0
    addresses: Mapping[str, str] = field(default_factory=dict)
    bindings: tuple[PortBinding, ...] = ()
    gpus: tuple[str, ...] = ()
    ports: tuple[HostPort, ...] = ()
    past: tuple[Attempt, ...] = ()
    unknown: str = ""
    forsaken: bool = False
    request: str = ""

    @property
    def service_key(self) -> str:
        """`stack/service`."""
        return f"{self.stack}/{self.service}"

    @property
    def name(self) -> str:
        """What a person calls it: `stack-service-slot`."""
        return f"{self.stack}-{self.service}-{self.slot}"

    @property
    def ended(self) -> bool:
        """Whether it will never run again."""
        return self.state in ENDED

    @property
    def standing(self) -> TaskState | Literal["unknown"]:
        """How it stands for a person: its state, or `unknown` while its machine is down."""
        return "unknown" if self.unknown and not self.ended else self.state

    @property
    def serving(self) -> bool:
        """Whether it may be answered with: wanted, running where it can be seen, and healthy where that is checked."""
        return not self.unknown and self.desired == "run" and self.state == "running" and self.health in ("", "healthy")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a stack: what is wanted, by which request of the API, and how far a change of it has come."""

    stack: str
    name: str
    spec: ServiceSpec
    revision: str
    replicas: int
    created_at: float
    updated_at: float
    previous_revision: str = ""
    generation: int = 0
    stopped: bool = False
    removing: bool = False
    update: UpdateState = ""
    update_message: str = ""
    request: str = ""

    @property
    def key(self) -> str:
        """`stack/name`."""
        return f"{self.stack}/{self.name}"

    @property
    def order(self) -> Service:
        """The service as it was ordered last, without what is said of how far that is.

        How many machines a global one is on is nobody's order.
        """
        replicas = 1 if self.spec.mode == "global" else self.replicas
        return replace(self, update="", update_message="", replicas=replicas)


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed compose file. `networks` and `volumes` are the engine's names that belong to it."""

    name: str
    spec: StackSpec
    created_at: float
    updated_at: float
    removing: bool = False
    remove_volumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """A network of a stack with the addresses that the Senate gave it. `next_host` is where the next search starts."""

    name: str
    stack: str
    key: str
    subnet: str
    gateway: str
    mtu: int
    external: bool = False
    internal: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    next_host: int = 2


@dataclass(frozen=True, slots=True)
class Config:
    """A content of configs, under its digest: once, however many stacks have the same. It is in base64."""

    digest: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Node:
    """One machine. `status` is `ready`, `unavailable` (its engine does not answer), `down`, or `returning`: it was
    down, and puts away what runs elsewhere since before it gets anything new. `replaced`: it is lost, and its
    tasks are to be replaced elsewhere. `planned`: it is down, and said so before.

    `role` is what people decided, whatever a machine or its certificate says. `labels` are given by people,
    `engine_labels` by its engine. `availability` is what people decided: whether it gets new tasks (`active`), keeps
    those it has (`pause`), or is to be emptied (`drain`, `maintenance`). `stuck` says of each network and volume that
    should be gone why it is not, in a sentence. `certificate` is the serial of the newest certificate that it was
    given. `link_port` is where it hears other nodes. What is free on its `disk` is about so: see `capacity.told`.
    """

    id: str
    name: str
    role: Role
    status: NodeStatus
    message: str
    address: str
    since: float
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
    engine_labels: Mapping[str, str] = field(default_factory=dict)
    availability: Availability = "active"
    used_subnets: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    stuck: Mapping[str, str] = field(default_factory=dict)
    replaced: bool = False
    planned: bool = False
    version: str = ""
    certificate: str = ""
    certificate_expires: float = 0.0
    link_port: int = 0


@dataclass(frozen=True, slots=True)
class Departed:
    """A machine that was removed, remembered for as long as a certificate of its own may be good."""

    id: str
    name: str
    at: float


@dataclass(frozen=True, slots=True)
class JoinToken:
    """What lets machines join, without its text. Good until `expires_at` for `uses` machines, of which `used` came."""

    id: str
    role: Role
    created_at: float
    expires_at: float
    uses: int
    used: int = 0
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A credential of the API, or a `user`'s session. Only its secret's hash is kept; `expires_at` 0 is never."""

    id: str
    name: str
    role: UserRole
    hash: str
    created_at: float
    expires_at: float = 0.0
    used_at: float = 0.0
    first: bool = False
    user: str = ""


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """A sign-in to a registry, sealed by a key that is not in the state.

    `stack` is whose deploy it came with; empty for the cluster's own.
    """

    registry: str
    stack: str
    username: str
    sealed: str = field(repr=False)
    updated_at: float

    @property
    def key(self) -> str:
        """What it is kept under."""
        return login_key(self.registry, self.stack)


_OfStacks = Stack | StackRevision | StackDraft | Service | ServiceSpec
Entity = _OfStacks | Task | Network | Config | Node | Departed | Token | User | JoinToken | RegistryLogin | str
Table = Literal[
    "stacks",
    "stack_revisions",
    "stack_drafts",
    "services",
    "tasks",
    "networks",
    "configs",
    "nodes",
    "departed",
    "tokens",
    "users",
    "join_tokens",
    "registries",
    "revisions",
    "settings",
    "commands",
]


@dataclass(frozen=True, slots=True)
class Change:
    """One row that a decision puts or (with None) deletes."""

    table: Table
    key: str
    entity: Entity | None


@dataclass(frozen=True, slots=True)
class State:
    """Everything the Senate knows at one revision. Never changed: `after` gives the next one."""

    revision: int = 0
    epoch: int = 0
    stacks: Mapping[str, Stack] = field(default_factory=dict)
    stack_revisions: Mapping[str, StackRevision] = field(default_factory=dict)
    stack_drafts: Mapping[str, StackDraft] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=Tasks)
    networks: Mapping[str, Network] = field(default_factory=dict)
    configs: Mapping[str, Config] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    departed: Mapping[str, Departed] = field(default_factory=dict)
    tokens: Mapping[str, Token] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    join_tokens: Mapping[str, JoinToken] = field(default_factory=dict)
    registries: Mapping[str, RegistryLogin] = field(default_factory=dict)
    revisions: Mapping[str, ServiceSpec] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.tasks, Tasks):
            object.__setattr__(self, "tasks", Tasks(self.tasks))

    def after(self, changes: Iterable[Change], revision: int | None = None) -> State:
        """The state with these changes made, at `revision` (the same one when left out)."""
        tables: dict[str, dict[str, object]] = {}
        for change in changes:
            rows = tables.get(change.table)
            if rows is None:
                rows = tables[change.table] = copy(getattr(self, change.table))
            if change.entity is None:
                rows.pop(change.key, None)
            else:
                rows[change.key] = change.entity
        return replace(self, revision=self.revision if revision is None else revision, **tables)  # type: ignore[arg-type]

    def tasks_of(self, service_key: str) -> tuple[Task, ...]:
        """The service's tasks, by slot and age."""
        return by_service(self.tasks).get(service_key, ())

    def tasks_in(self, stack: str) -> list[Task]:
        """The tasks of all services of the stack."""
        return [task for service in self.services_of(stack) for task in self.tasks_of(service.key)]

    def services_of(self, stack: str) -> list[Service]:
        """The stack's services, by name."""
        return sorted((s for s in self.services.values() if s.stack == stack), key=lambda s: s.name)

    def spec_of(self, task: Task) -> ServiceSpec:
        """The spec that the task was made from."""
        return self.revisions[revision_key(task.service_key, task.revision)]


def revision_key(service_key: str, revision: str) -> str:
    """The key under which a service's revision is kept."""
    return f"{service_key}@{revision}"
