"""What a machine is asked to open a stream for, and what is said on one.

A stream is a way of its own between a machine and who asked, beside the link. The last word on it is the machine's:
`DoneWell`, `Exited` or `Failed`. A stream that ends without was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cluster.container import ExecSpec
from engine.port import LogLine
from supervisor.message import message


@message("stream.logs/1")
@dataclass(frozen=True, slots=True)
class OpenLogs:
    """To a machine's `streams` actor: open the stream of that name, and send on it what a container wrote, `LogLines`.

    The last `tail` lines of those after `since` (seconds since the epoch), and with `follow` new ones until it stops.
    Answered by `DoneWell` once the stream is open, or `Failed`.
    """

    stream: str
    container: str
    follow: bool
    tail: int | None
    since: float


@message("stream.lines/1")
@dataclass(frozen=True, slots=True)
class LogLines:
    """Lines of a container's output, in their order."""

    lines: tuple[LogLine, ...]


@message("stream.exec/1")
@dataclass(frozen=True, slots=True)
class OpenExec:
    """To a machine's `streams` actor: open the stream of that name, and run a command in a container over it.

    It is told `Typed`, `TypedAll` and `Resized`, tells `Printed`, and last `Exited`. Answered as `OpenLogs` is.
    """

    stream: str
    container: str
    spec: ExecSpec


@message("exec.typed/1")
@dataclass(frozen=True, slots=True)
class Typed:
    """Bytes for a command to read."""

    data: bytes


@message("exec.typed_all/1")
@dataclass(frozen=True, slots=True)
class TypedAll:
    """There is nothing more for it to read."""


@message("exec.resized/1")
@dataclass(frozen=True, slots=True)
class Resized:
    """Its terminal has another size."""

    rows: int
    columns: int


@message("exec.printed/1")
@dataclass(frozen=True, slots=True)
class Printed:
    """Bytes that a command wrote."""

    stream: Literal["stdout", "stderr"]
    data: bytes


@message("exec.exited/1")
@dataclass(frozen=True, slots=True)
class Exited:
    """The command has ended, with this exit code."""

    code: int
