"""Who belongs to the cluster, whatever certificate it may have."""

from __future__ import annotations

import re

from cluster.model import Node, State

HOST = re.compile(r"[A-Za-z0-9.:%_-]{1,253}")


def is_host(text: str) -> bool:
    """Whether it may be a host's name or address: letters, digits and what addresses have beside them."""
    return HOST.fullmatch(text) is not None


def is_member(state: State, node: str) -> bool:
    """Whether the node of this id may speak."""
    return node in state.nodes and node not in state.departed


def may_leave(state: State, node: str) -> bool:
    """Whether that node may be told that it has left: a member, or one that was removed and asks again."""
    return node in state.departed or is_member(state, node)


def managers(state: State, own: str) -> list[Node]:
    """The managers that serve: whom a worker dials. `own` is the node that answers.

    In this release that is the only one: those that were promoted do not vote yet, and have no state to serve by.
    """
    return [state.nodes[own]] if own in state.nodes else []
