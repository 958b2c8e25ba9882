"""What the API asks of the Senate for somebody, and the record of that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from cluster.audit import AuditRecord, Deed
from cluster.expected import Expected
from supervisor.message import class_of, message, tag_of


def _packed(command: Any) -> list[str]:
    cls: Any = type(command)
    return [tag_of(cls), _adapter(cls).dump_json(command, warnings="error").decode()]


def _unpacked(packed: Any) -> object:
    try:
        tag, body = packed
        return _adapter(class_of(tag)).validate_json(body, strict=True)
    except (KeyError, TypeError) as error:
        raise ValueError("this is no command") from error


@cache
def _adapter(cls: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


Command = Annotated[object, PlainSerializer(_packed), PlainValidator(_unpacked)]
"""Any message: over the wire its tag and its body."""


@message("senate.asked/1")
@dataclass(frozen=True, slots=True)
class Asked:
    """A command with who asks for it: answered as the command is, and kept with its outcome in the same batch.

    `expected` is what the caller read of the thing. `begins` says that the decision is but its beginning: its end will
    be noted.
    """

    command: Command
    deed: Deed
    expected: Expected | None = None
    begins: bool = False


@message("audit.note/1")
@dataclass(frozen=True, slots=True)
class NoteDeed:
    """Keep a record of what was refused or done without the Senate. Answered by Accepted.

    Where the store takes nothing the answer is Refused, and the record waits in memory until it does.
    """

    deed: Deed
    outcome: str
    message: str = ""


@message("audit.get/1")
@dataclass(frozen=True, slots=True)
class GetAudit:
    """Answered by `Audit`: the newest `limit` records before the number (0: of all) that are as the rest says.

    Empty is any; `since` is in seconds since the epoch.
    """

    before: int = 0
    limit: int = 1000
    who: str = ""
    action: str = ""
    outcome: str = ""
    since: float = 0.0


@message("audit/1")
@dataclass(frozen=True, slots=True)
class Audit:
    """Records, newest first."""

    records: tuple[AuditRecord, ...]
