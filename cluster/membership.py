"""Who belongs to the cluster, whatever certificate it may have."""

from __future__ import annotations

from cluster.model import Node, State


def is_member(state: State, node: str, serial: str) -> bool:
    """Whether the node of this id may speak by its certificate of this serial (hex)."""
    known = state.nodes.get(node)
    return known is not None and node not in state.departed and serial not in known.revoked


def managers(state: State) -> list[Node]:
    """The managers, by name: whom a worker dials."""
    return sorted((node for node in state.nodes.values() if node.role == "manager"), key=lambda node: node.name)
