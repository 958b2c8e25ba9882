"""Sees to it that every change that is asked for, and every refusal of access, is in the audit.

What the Senate decides it keeps with the decision, in one batch. All else is told to it here, afterwards.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from starlette.requests import HTTPConnection

from actors.protocol import NoteDeed
from cluster.audit import Deed
from portal.api.access import caller_of
from portal.api.problems import Problem, as_problem
from portal.api.requests import DEED, KEPT, READ_TIMEOUT, backend_of
from supervisor.errors import ActorError

ACCESS = ("unauthorized", "forbidden")


@asynccontextmanager
async def audited(connection: HTTPConnection, action: str, *, changes: bool) -> AsyncIterator[None]:
    """What is done within is a deed of this name. It passes every exception on."""
    deed = Deed(caller_of(connection), action, "/".join(map(str, connection.path_params.values())))
    if changes:
        connection.scope[DEED] = deed
    try:
        yield
    except Exception as error:
        problem = as_problem(error) if changes or isinstance(error, Problem) else None
        # Who goes on guessing (429) is not to fill the audit.
        if problem is not None and problem.status != 429 and (changes or problem.code in ACCESS):
            await _note(connection, connection.scope.get(DEED, deed), problem.code, problem.detail)
        raise
    if changes:
        await _note(connection, deed, "done", "")


async def _note(connection: HTTPConnection, deed: Deed, outcome: str, message: str) -> None:
    if connection.scope.get(KEPT):
        return
    # A note that cannot be kept is no reason to answer otherwise; nor is a client that left a reason not to keep it.
    with contextlib.suppress(ActorError), anyio.CancelScope(shield=True):
        await backend_of(connection).ask("senate", NoteDeed(deed, outcome, message), READ_TIMEOUT)
