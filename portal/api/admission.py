"""Who comes without a bearer token: machines, by a join token or a node's own proof.

Who fails is as patiently refused as whoever guesses at a bearer token, and the reason is for this side's log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.requests import Request

from portal.api.patience import Failures, address_of
from portal.api.problems import Problem
from portal.api.requests import backend_of
from portal.gate import Gate, NotAdmitted, Purpose

log = logging.getLogger(__name__)


def gate_of(request: Request) -> Gate:
    """The cluster's authority; raises Problem where this node has none."""
    gate = backend_of(request).gate
    if gate is None:
        raise Problem("unavailable", "this node has no authority to let others join: ask a manager")
    return gate


def proven(request: Request, purpose: Purpose, is_member: Callable[[str], bool]) -> str:
    """The id of the node whose proof for that purpose a request holds; the rest is as for `Gate.prove`.

    Raises Problem.
    """
    try:
        return gate_of(request).prove(request.headers, purpose, is_member)
    except NotAdmitted as error:
        raise turned_away(request, error, "unauthorized") from None


def turned_away(request: Request, error: NotAdmitted, code: str) -> Problem:
    """The answer to who may not pass, with its reason in the log."""
    address, failures = address_of(request.scope), request.app.state.failures
    assert isinstance(failures, Failures)
    log.warning("refused %s at %s: %s", address, request.url.path, error.reason)
    return failures.turn_away(address, backend_of(request).clock(), Problem(code, str(error)))
