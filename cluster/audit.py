"""Who did what, and what came of it: the records that the Senate keeps beside its events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

CallerRole = Literal["open", "viewer", "operator", "admin"]

ACCESS = ("unauthorized", "forbidden")
"""Outcomes of what somebody may not do: of these a stranger can make many."""
FAULTS = ("invalid", "not_found", "conflict", "gone", "stale", "unavailable")
"""Outcomes of what could not be done: of these whoever has a token can make many."""
NOTHING = ("unchanged", "repeated")
"""Outcomes of what had nothing to do: of these whoever may change things can make many, and changes none."""
APART = (ACCESS, FAULTS, NOTHING)
"""Records of each of these push out none but one another, so that nothing hides in a crowd of them."""

LONGEST_WHO = 100
LONGEST_SUBJECT = 200
LONGEST_MESSAGE = 1000
"""In characters: who asks chooses what is in a record, but not how much room it takes."""


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
    """What somebody asked for: the `action`, as `stacks.deploy`, and whose thing it is about.

    `detail` is what is to be known of it whatever comes of it, as the role of a new token.
    """

    caller: Caller
    action: str
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A deed and its outcome: `done`, `unchanged`, `repeated`, or the code of the refusal that `message` is.

    What goes on after it was decided is `begun`, and has another record once it ended: `abandoned` where its client
    left before that, and `failed` where part of it was not done.

    `number` is its place among all records, 0 before it has one. `at` is in seconds since the epoch, and `revision` the
    one that the cluster was at after it.
    """

    deed: Deed
    outcome: str
    at: float
    message: str = ""
    revision: int = 0
    number: int = 0


def recorded(deed: Deed, outcome: str, at: float, message: str = "", revision: int = 0) -> AuditRecord:
    """The record of a deed: its detail becomes part of the message, and nothing is longer than it may be."""
    caller = replace(deed.caller, name=deed.caller.name[:LONGEST_WHO])
    text = "; ".join(filter(None, (deed.detail, message)))
    short = Deed(caller, deed.action, deed.subject[:LONGEST_SUBJECT])
    return AuditRecord(short, outcome, at, text[:LONGEST_MESSAGE], revision)
