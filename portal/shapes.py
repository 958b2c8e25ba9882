"""The objects that the API answers with: what programs read, the API's document describes, and `gbnt` prints.

Times are seconds since the epoch, sizes are bytes, durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from cluster.model import Availability, Health, NodeStatus, Role, TaskState, UpdateState
from portal.part_rows import AttemptRow, GpusRow, HostPortRow, PortRow, ServiceSpecShown, StackSpecShown


class DiskRow(TypedDict):
    """The file system that holds an engine's data; sizes are null where `unknown` says why."""

    path: str
    total: int | None
    free: int | None
    unknown: str


class NodeRow(TypedDict):
    """A machine, with the number of tasks that it has to run, and what those that have not ended reserve."""

    id: str
    name: str
    role: Role
    status: NodeStatus
    message: str
    warning: str
    availability: Availability
    labels: Mapping[str, str]
    engine_labels: Mapping[str, str]
    address: str
    engine_id: str
    engine_version: str
    cpus: int
    memory: int
    reserved_cpus: float
    reserved_memory: int
    disk: DiskRow
    gpus: list[GpusRow]
    gpu_runtime: str
    os: str
    arch: str
    since: float
    tasks: int
    volumes: list[str]
    held: list[str]
    version: str
    certificate_expires: float


class LeaverRow(TypedDict):
    """A task that has not left its machine yet, and what it waits for."""

    task: str
    id: str
    state: str
    words: str
    stuck: bool


class NodeShown(NodeRow):
    """A machine; while it is being emptied, with what has not left it yet."""

    leaving: list[LeaverRow]


class StackRow(TypedDict):
    """A stack; work that is done for good counts neither as wanted nor as running."""

    name: str
    services: int
    tasks_running: int
    tasks_wanted: int
    status: str
    message: str
    updated_at: float
    volumes: list[str]
    networks: list[str]


class StackShown(StackRow):
    """A stack, with its spec."""

    spec: StackSpecShown


class RevisionRow(TypedDict):
    """What a stack said from one deploy on.

    `by` is empty for the manager's own root. `of` is the number of the revision that it goes back to, if it does.
    """

    stack: str
    number: int
    at: float
    by: str
    changes: Mapping[str, str]
    services: int
    sources: bool
    newest: bool
    of: int | None


class RevisionShown(RevisionRow):
    """A revision, with its spec."""

    spec: StackSpecShown


@with_config(extra="forbid")
class SourceFileRow(TypedDict):
    """A compose file: its name as seen from the folder of the first, and its text, verbatim."""

    name: str
    text: str


class SourcesShown(TypedDict):
    """Files as they were written; the values of their variables are null unless they were asked for."""

    files: Sequence[SourceFileRow]
    variables: Mapping[str, str | None]
    roots: Sequence[str]
    profiles: Sequence[str]


class DraftShown(TypedDict):
    """What a person has not deployed yet; `refusals` keep it from being deployed."""

    stack: str
    at: float
    by: str
    refusals: Sequence[str]
    spec: StackSpecShown
    sources: SourcesShown | None


class ServiceRow(TypedDict):
    """A service, called `stack/service`."""

    name: str
    stack: str
    service: str
    image: str
    digest: str
    mode: str
    labels: Mapping[str, str]
    replicas: int
    running: int
    done: int
    stopped: bool
    revision: str
    ports: list[PortRow]
    update: UpdateState
    update_message: str
    updated_at: float


class ServiceShown(ServiceRow):
    """A service, with its spec."""

    spec: ServiceSpecShown


class Pull(TypedDict):
    """How far the pull of a task's image is; `fraction` is from 0 to 1."""

    message: str
    fraction: float


class TaskRow(TypedDict):
    """A task, with its node's name and its containers that ended."""

    id: str
    name: str
    stack: str
    service: str
    slot: int
    node: str
    desired: str
    state: TaskState | Literal["unknown"]
    health: Health
    message: str
    problem: str
    attempt: int
    crashes: int
    restart_at: float | None
    container_id: str
    container_name: str
    image: str
    digest: str
    labels: Mapping[str, str]
    exit_code: int | None
    created_at: float
    since: float
    started_at: float
    addresses: Mapping[str, str]
    ports: list[HostPortRow]
    gpus: list[str]
    past: list[AttemptRow]
    request: str
    progress: NotRequired[Pull]


class ConfigRow(TypedDict):
    """A config that a stack brought: `key` is what that calls it, `services` are those that read it."""

    name: str
    stack: str
    key: str
    size: int
    digest: str
    labels: Mapping[str, str]
    services: list[str]
    updated_at: float


class ConfigShown(ConfigRow):
    """A config, with its content in base64."""

    content: str


class SnapshotRow(TypedDict):
    """A copy of the cluster's state that is kept."""

    name: str
    size: int
    revision: int
    created_at: float


class ActorRow(TypedDict):
    """A live actor. What belongs to its present life is 0 without one."""

    address: str
    kind: str
    state: str
    incarnation: int
    mailbox: int
    capacity: int
    processed: int
    restarts: int
    last_failure: str | None
    last_failure_at: float | None
    started_at: float | None
    children: list[str]
    detail: Mapping[str, object]


@with_config(extra="forbid")
class EventRow(TypedDict):
    """Something that changed: `revision` and `number` place it among all others.

    `request` is the id of the API's request that it goes back to; empty where nobody asked for it.
    """

    revision: int
    number: int
    at: float
    kind: str
    subject: str
    message: str
    request: str


class ClusterShown(TypedDict):
    """Who answers, at which revision, and whether something is so wrong that a person has to say what to do.

    `api` is where others reach it, `authority` the certificate (PEM) that it is trusted by; empty where it has none.
    """

    name: str
    id: str
    version: str
    revision: int
    epoch: int
    node: str
    api: str
    authority: str
    alarm: str
    pause_above: int
    privileged: str
    privileged_taken: bool


class Changed(TypedDict):
    """A change that is done and durable at `revision`. `changes` says by name what became of each part."""

    revision: int
    changes: Mapping[str, str]
    detail: Mapping[str, str]
    warnings: NotRequired[Sequence[str]]


class LogRow(TypedDict):
    """A line that a container wrote; `stream` is `note` for what nobody wrote: why nothing comes."""

    task: str
    task_id: str
    at: str
    stream: str
    text: str


class StackProgress(TypedDict, total=False):
    """A stack's tasks at one moment (`type` is `tasks`), or at last what became of it (`verdict`)."""

    type: Literal["tasks", "verdict"]
    revision: int
    tasks: list[TaskRow]
    problem: str
    watched: str
    verdict: str
    reason: str
    task: str | None
    logs: list[Mapping[str, str]]


class FindingRow(TypedDict):
    """A place in what was sent, and what is wrong with it; `line` 0 is none."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str
    excerpt: str
    caret: int
    severity: Literal["error", "warning"]
    code: str


class ProblemShown(TypedDict):
    """A problem document (RFC 9457). `detail` is a sentence with what to do next, `code` is for programs."""

    type: str
    title: str
    status: int
    detail: str
    code: Literal[
        "not_found",
        "conflict",
        "gone",
        "stale",
        "invalid",
        "unavailable",
        "unknown",
        "unauthorized",
        "forbidden",
    ]
    findings: NotRequired[list[FindingRow]]
    request: NotRequired[str]


class LineFailed(TypedDict):
    """The last line of a stream that broke, for its status was sent before."""

    error: str
    code: str
