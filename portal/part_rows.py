"""What rows hold of the cluster's own records, as the flat objects that a client reads. Pure.

They have no other keys, as the records that they are made of have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, with_config
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

from cluster.capacity import Gpus
from cluster.explaining import Explanation, Word
from cluster.model import Attempt, HostPort
from cluster.spec import Port, Protocol, ServiceSpec, StackSpec
from cluster.usage import Share


class _Told:
    """Has pydantic describe a mapping as the record that is sent in its place."""

    def __init__(self, record: type[object]) -> None:
        self._record = record

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(self._record)


StackSpecShown = Annotated[Mapping[str, Any], _Told(StackSpec)]
"""A `StackSpec` in JSON. Viewers see it without some of its values."""

ServiceSpecShown = Annotated[Mapping[str, Any], _Told(ServiceSpec)]
"""A `ServiceSpec` in JSON. Viewers see it without some of its values."""


@with_config(extra="forbid")
class GpusRow(TypedDict):
    """GPUs of one kind from one `source` of a machine's engine; `names` are empty where they are only counted."""

    kind: str
    source: Literal["declared", "discovered"]
    count: int
    names: Sequence[str]


@with_config(extra="forbid")
class PortRow(TypedDict):
    """A published port. `published` null lets the engine choose; first < last lets each task take one of a range."""

    target: int
    published: int | None
    published_last: int | None
    protocol: Protocol
    host_ip: str
    mode: Literal["ingress", "host"]


@with_config(extra="forbid")
class HostPortRow(TypedDict):
    """A port that a task really has on its machine."""

    target: int
    protocol: str
    host_ip: str
    host_port: int


@with_config(extra="forbid")
class AttemptRow(TypedDict):
    """One container of a task that has ended."""

    number: int
    container_id: str
    container_name: str
    exit_code: int | None
    reason: str
    started_at: float
    ended_at: float


@with_config(extra="forbid")
class ShareRow(TypedDict):
    """One kind of what an engine keeps: how many, how many in use, how large, and what is free without the others.

    That is no less than so much: where unused images share layers it is more. `unsized` have a size that nobody knows.
    """

    number: int
    in_use: int
    size: int
    reclaimable: int
    unsized: int


@with_config(extra="forbid")
class ReasonRow(TypedDict):
    """One reason against a machine, said of that alone, and what would change it; empty where nothing can."""

    why: str
    remedy: str


@with_config(extra="forbid")
class JudgedRow(TypedDict):
    """A machine by its name and id.

    It is `here` that the task is, or the `best` that it could go to now; it `fits`, too, or there are reasons why `no`.
    """

    node: str
    id: str
    word: Word
    reasons: Sequence[ReasonRow]


@with_config(extra="forbid")
class PlacementShown(TypedDict):
    """What is said of a task or service in one sentence, and of each machine, by name."""

    subject: str
    sentence: str
    nodes: Sequence[JudgedRow]


def gpus_row(gpus: Gpus) -> GpusRow:
    """GPUs of one kind."""
    return {"kind": gpus.kind, "source": gpus.source, "count": gpus.count, "names": gpus.names}


def port_row(port: Port) -> PortRow:
    """A port that a service publishes."""
    return {
        "target": port.target,
        "published": port.published,
        "published_last": port.published_last,
        "protocol": port.protocol,
        "host_ip": port.host_ip,
        "mode": port.mode,
    }


def host_port_row(port: HostPort) -> HostPortRow:
    """A port that a task has."""
    return {
        "target": port.target,
        "protocol": port.protocol,
        "host_ip": port.host_ip,
        "host_port": port.host_port,
    }


def attempt_row(attempt: Attempt) -> AttemptRow:
    """A container that has ended."""
    return {
        "number": attempt.number,
        "container_id": attempt.container_id,
        "container_name": attempt.container_name,
        "exit_code": attempt.exit_code,
        "reason": attempt.reason,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
    }


def share_row(share: Share) -> ShareRow:
    """One kind of what an engine keeps."""
    return {
        "number": share.number,
        "in_use": share.in_use,
        "size": share.size,
        "reclaimable": share.reclaimable,
        "unsized": share.unsized,
    }


def placement_row(told: Explanation) -> PlacementShown:
    """Where a task is, or could go, and why not elsewhere."""
    nodes: list[JudgedRow] = [
        {
            "node": one.node,
            "id": one.id,
            "word": one.word,
            "reasons": [{"why": reason.why, "remedy": reason.remedy} for reason in one.reasons],
        }
        for one in told.nodes
    ]
    return {"subject": told.subject, "sentence": told.sentence, "nodes": nodes}
