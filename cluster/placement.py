"""Which machine a task goes to, or why none."""

from __future__ import annotations

from cluster.model import Node, State


def place(state: State) -> tuple[Node | None, str]:
    """A machine that can run a new task, or None and what is waited for, in words."""
    ready = [node for node in state.nodes.values() if node.status == "ready"]
    if ready:
        return ready[0], ""
    if not state.nodes:
        return None, "waits for a machine: none is there yet"
    reasons = "; ".join(f"{node.name}: {node.message or node.status}" for node in state.nodes.values())
    return None, f"waits for a machine that is ready ({reasons})"


def awaits_machine(state: State) -> bool:
    """Whether a machine is about to be ready by itself: none was heard of yet, or one is only starting."""
    return not state.nodes or any(node.status == "starting" for node in state.nodes.values())
