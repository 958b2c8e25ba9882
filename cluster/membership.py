"""Who belongs to the cluster, whatever certificate it may have."""

from __future__ import annotations

from cluster.model import Node, State


def is_member(state: State, node: str, serial: str) -> bool:
    """Whether the node of this id may speak by its certificate of this serial (hex)."""
    known = state.nodes.get(node)
    return known is not None and node not in state.departed and serial not in known.revoked


def may_leave(state: State, node: str, serial: str) -> bool:
    """Whether that node may be told that it has left: a member, or one that was removed and asks again."""
    return node in state.departed or is_member(state, node, serial)


def managers(state: State, own: str) -> list[Node]:
    """The managers that serve: whom a worker dials. `own` is the node that answers.

    In this release that is the only one: those that were promoted do not vote yet, and have no state to serve by.
    """
    return [state.nodes[own]] if own in state.nodes else []
