"""Who did what, and what came of it: the records that the Senate keeps beside its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CallerRole = Literal["open", "viewer", "operator", "admin"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks by the API: the name of a token, or `root` on the manager's own socket.

    `role` is `open` where no token is asked for, as of a machine that joins. `token` is the token's id, `address` where
    the request came from, and `request` the id that it can be found by in the logs.
    """

    name: str
    role: CallerRole
    token: str = ""
    address: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody asked for: the `action`, as `stacks.deploy`, and whose thing it is about."""

    caller: Caller
    action: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A deed and its outcome: `done`, `unchanged`, `repeated`, or the code of the refusal that `message` is.

    `number` is its place among all records, 0 before it has one. `at` is in seconds since the epoch, and `revision` the
    one that the cluster was at after it.
    """

    deed: Deed
    outcome: str
    at: float
    message: str = ""
    revision: int = 0
    number: int = 0
