"""The version of a thing: what a program read, so that it changes nothing that somebody else has changed since.

A version is a fingerprint of what people decide of a thing. What the cluster sees of it (a status, a health, how far an
update has come) makes no other version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cluster.decide.decision import Refusal
from cluster.decide.machines import find_node
from cluster.expected import ANY, Expected, Kind
from cluster.model import State
from cluster.policy import privileged
from cluster.presence import pause_above
from cluster.spec import fingerprint

DIGITS = 16


def version(state: State, kind: Kind, key: str) -> str:
    """The version of a thing, empty where there is none of that key."""
    decided = _DECIDED[kind](state, key)
    return "" if decided is None else fingerprint(decided)[:DIGITS]


def objection(state: State, expected: Expected) -> Refusal | None:
    """Why a change that expects this cannot be made."""
    present = version(state, expected.kind, expected.key)
    if present and expected.version in (present, ANY):
        return None
    thing = " ".join(part for part in (expected.kind, expected.key) if part)
    if not present:
        return Refusal("stale", f"there is no {thing}, and the change is for one that is there (If-Match)")
    text = f"{thing} was changed since it was read as version {expected.version}: it is {present} now"
    return Refusal("stale", f"{text}; read it again and decide anew")


def _cluster(state: State, key: str) -> object:
    return [pause_above(state.settings), privileged(state)]


def _node(state: State, key: str) -> object | None:
    found = find_node(state, key)
    if isinstance(found, Refusal):
        return None
    return [found.id, found.role, found.availability, dict(sorted(found.labels.items()))]


def _stack(state: State, key: str) -> object | None:
    stack = state.stacks.get(key)
    if stack is None:
        return None
    orders = [service.order for service in state.services_of(key) if not service.removing]
    return [stack.spec, stack.created_at, stack.removing, stack.remove_volumes, orders]


def _service(state: State, key: str) -> object | None:
    service = state.services.get(key)
    return None if service is None else service.order


def _draft(state: State, key: str) -> object | None:
    return state.stack_drafts.get(key)


_DECIDED: Mapping[Kind, Callable[[State, str], object | None]] = {
    "cluster": _cluster,
    "node": _node,
    "stack": _stack,
    "service": _service,
    "draft": _draft,
}
