"""`/v1/knock`: whether this manager reaches the machine that asks, for who is about to join or has joined.

It is no scanner for anybody: it takes a good join token or a node's proof, connects to the address that the question
came from and to the one port of links between nodes, sends nothing there, and each knock counts as a failed sign-in
does: ten a minute from an address, and no more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial

import anyio
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from cluster.decide.joining import why_not
from cluster.membership import is_member
from cluster.model import State
from portal.api.admission import gate_of, turned_away
from portal.api.bodies import body_of
from portal.api.endpoint import ask
from portal.api.patience import Failures, address_of, network_of
from portal.api.problems import Problem
from portal.api.requests import answer, backend_of, state_of
from portal.gate import Gate, NotAdmitted

KNOCK_SECONDS = 3.0


class Knocked(TypedDict):
    """Whether the machine that asked is reached on its link port, and whether another has its name."""

    address: str
    port: int
    reached: bool
    reason: str
    name_taken: bool


@dataclass(frozen=True, slots=True)
class Knock:
    """The body: a join token, or none from a node that proves who it is; and what this machine is called."""

    token: str = ""
    name: str = ""


async def knock(request: Request) -> Response:
    """Connect to the link port of the address that this came from, and say what became of it."""
    body, gate, state = await body_of(request, Knock), gate_of(request), await state_of(request)
    try:
        node = _who(request, body.token, gate, state)
    except NotAdmitted as error:
        raise turned_away(request, error, "unauthorized") from None
    address, failures, now = address_of(request.scope), request.app.state.failures, backend_of(request).clock()
    assert isinstance(failures, Failures)
    if not address:
        raise Problem("invalid", "this came by a socket that has no address: ask on the API's port")
    network = network_of(address)
    pause = failures.pause(network, now)
    if pause > 0:
        seconds = max(1, round(pause))
        detail = f"this was asked too often from {network}; ask again in {seconds} s"
        raise Problem("unavailable", detail, status=429, headers={"retry-after": str(seconds)})
    failures.count(network, now)  # before it knocks: many at a time count, too
    reason = await _reason(address, gate.link_port)
    taken = any(body.name == one.name and one.id != node for one in state.nodes.values())
    told = {"address": address, "port": gate.link_port, "reached": not reason, "reason": reason}
    return answer({**told, "name_taken": taken})


def _who(request: Request, token: str, gate: Gate, state: State) -> str:
    """The node that asks; empty for a machine with a join token that somebody could join by. Raises NotAdmitted."""
    if not token:
        return gate.prove(request.headers, "knock", partial(is_member, state))
    id = gate.token_id(token)
    if reason := why_not(state.join_tokens.get(id), backend_of(request).clock()):
        raise NotAdmitted(reason, f"join token {id}: {reason}")
    return ""


async def _reason(address: str, port: int) -> str:
    """Why nobody is reached there; empty where somebody is."""
    try:
        with anyio.fail_after(KNOCK_SECONDS):
            stream = await anyio.connect_tcp(address, port)
    except TimeoutError:
        return f"no answer within {KNOCK_SECONDS:.0f} s"
    except OSError as error:
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        return os.strerror(cause.errno).lower() if cause.errno else str(cause)
    await stream.aclose()
    return ""


ENDPOINTS = (ask("POST", "/v1/knock", knock, Knocked, body=Knock, access="open"),)
