"""Sees to it that every change that is asked for, and every refusal of access, is in the audit.

What the Senate decides it keeps with the decision, in one batch. All else is told to it here, afterwards. What goes on
after its answer has begun, as a stream does, is told of when it ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
from starlette.requests import ClientDisconnect, HTTPConnection

from actors.protocol import NoteDeed
from cluster.audit import ACCESS, FAULTS, Caller, Deed
from portal.api.access import caller_of
from portal.api.lines import LEFT, End, Lines
from portal.api.patience import Failures, network_of
from portal.api.problems import Problem, as_problem
from portal.api.requests import DEED, KEPT, READ_TIMEOUT, backend_of
from supervisor.errors import ActorError

END = "gbnt.deed.end"
"""The key of an ASGI scope under which it stands what a change came to, where that is not said by its answer."""


@asynccontextmanager
async def audited(connection: HTTPConnection, action: str, *, changes: bool) -> AsyncIterator[None]:
    """What is done within is a deed of this name. It passes every exception on; of a good end `ended` tells."""
    deed = Deed(caller_of(connection), action, "/".join(map(str, connection.path_params.values())))
    if changes:
        connection.scope[DEED] = deed
    try:
        yield
    except (ClientDisconnect, anyio.get_cancelled_exc_class()):
        if changes:
            await note(connection, LEFT)
        raise
    except Exception as error:
        problem = as_problem(error) if changes or isinstance(error, Problem) else None
        # Who goes on guessing (429) is not to fill the audit.
        if problem is not None and problem.status != 429 and (changes or problem.code in ACCESS):
            await _note(connection, connection.scope.get(DEED, deed), problem.code, problem.detail)
        raise


def specify(connection: HTTPConnection, *, subject: str = "", detail: str = "", caller: Caller | None = None) -> None:
    """Have the audit say what this change is about, what is to be known of it whatever comes of it, and who asks."""
    deed: Deed = connection.scope[DEED]
    connection.scope[DEED] = Deed(caller or deed.caller, deed.action, subject or deed.subject, detail or deed.detail)


def conclude(connection: HTTPConnection, end: End) -> None:
    """Have the audit say that a change, which is answered all the same, came to that."""
    connection.scope[END] = end


async def begin(connection: HTTPConnection) -> None:
    """Keep that a change begins, which is not to be made unless somebody knows of it. Raises Problem where nobody does.

    A record that waits for a full disk is with the Senate.
    """
    try:
        await _tell(connection, connection.scope[DEED], "begun", "")
    except ActorError as error:
        text = "nothing was begun, for no record of it could be kept: the manager does not answer"
        raise Problem("unavailable", f"{text}; try again in a moment") from error


async def ended(connection: HTTPConnection, answer: object) -> None:
    """A change was answered: it is done where nothing else was concluded, but for a stream, which has begun."""
    if isinstance(answer, Lines):
        answer.ended = partial(note, connection)
    else:
        await note(connection, connection.scope.get(END, End("done")))


async def note(connection: HTTPConnection, end: End) -> None:
    """Keep what a change came to, unless the Senate has that."""
    await _note(connection, connection.scope[DEED], end.outcome, end.message)


async def _note(connection: HTTPConnection, deed: Deed, outcome: str, message: str) -> None:
    if connection.scope.get(KEPT) or not _has_room(connection, deed.caller, outcome):
        return
    # A note that cannot be kept is no reason to answer otherwise.
    with contextlib.suppress(ActorError):
        await _tell(connection, deed, outcome, message)


async def _tell(connection: HTTPConnection, deed: Deed, outcome: str, message: str) -> None:
    # A client that left is no reason not to keep it.
    with anyio.CancelScope(shield=True):
        await backend_of(connection).ask("senate", NoteDeed(deed, outcome, message), READ_TIMEOUT)


def _has_room(connection: HTTPConnection, caller: Caller, outcome: str) -> bool:
    """Whether another outcome of this kind is to be kept: of who came in by no token, or may not do it, a few are.

    Each kind has room of its own, so that none hides behind another.
    """
    if outcome not in ((*ACCESS, *FAULTS, LEFT.outcome) if caller.role == "open" else ACCESS):
        return True
    refusals, now = connection.app.state.refusals, backend_of(connection).clock()
    assert isinstance(refusals, Failures)
    who = f"{caller.token or network_of(caller.address)} {outcome}"
    if refusals.pause(who, now) > 0:
        return False
    refusals.count(who, now)
    return True
