"""Decisions of people on machines: what they may be used for, how they are labelled, and that one is gone for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from cluster.decide.decision import Decided, Decision, Draft, Refusal, missing
from cluster.decide.sweep import sweep
from cluster.model import Availability, Change, Departed, Node, State

WORDS: Mapping[str, str] = {
    "active": "gets new tasks",
    "pause": "keeps its tasks and gets no new ones",
    "drain": "its tasks move elsewhere, one by one",
    "maintenance": "its tasks move elsewhere, one by one",
}


def find_node(state: State, reference: str) -> Node | Refusal:
    """The machine of that id or name."""
    found = [node for node in state.nodes.values() if reference in (node.id, node.name)]
    if len(found) == 1:
        return found[0]
    if found:
        return Refusal("conflict", f"{len(found)} nodes are called {reference}: give the id of one")
    return missing("node", reference, {node.name: node for node in state.nodes.values()})


def update_node(
    state: State, reference: str, availability: str, labels: Mapping[str, str], unlabel: tuple[str, ...]
) -> Decision:
    """Change what a machine may be used for (empty: leave it), and labels that people gave it."""
    node = find_node(state, reference)
    if isinstance(node, Refusal):
        return node
    known = get_args(Availability)
    if availability and availability not in known:
        return Refusal("invalid", f"{availability} is no availability: choose one of {', '.join(known)}")
    unknown = sorted(set(unlabel) - node.labels.keys())
    if unknown:
        has = ", ".join(sorted(node.labels)) or "none"
        return Refusal("invalid", f"node {node.name} has no label {', '.join(unknown)}: it has {has}")
    if "" in labels:
        return Refusal("invalid", "a label needs a name: write it as name=value")
    kept = {key: value for key, value in node.labels.items() if key not in unlabel}
    now = replace(node, availability=availability or node.availability, labels={**kept, **labels})  # type: ignore[arg-type]
    if now == node:
        return Decided(told={node.name: "unchanged"})
    moved = now.availability != node.availability
    words = f"{now.availability}: {WORDS[now.availability]}" if moved else "labels changed"
    draft = Draft(state)
    draft.put(Change("nodes", node.id, now))
    draft.tell("node.updated", node.name, words)
    return draft.decided({node.name: words})


def remove_node(state: State, reference: str, force: bool, now: float) -> Decision:
    """Forget a machine. By force: also where it lives or has tasks; those are replaced, whatever becomes of it.

    Its id is remembered: a certificate of its own may be good for a while yet, and is not to count.
    """
    node = find_node(state, reference)
    if isinstance(node, Refusal):
        return node
    if node.role == "manager":
        return Refusal("conflict", f"node {node.name} is the manager: the cluster would be without one")
    tasks = [task for task in state.tasks.values() if task.node == node.id]
    live = [task for task in tasks if not task.ended]
    if node.status != "down" and not force:
        text = f"node {node.name} is {node.status}: stop gbnt there first, or remove it by force"
        return Refusal("conflict", text)
    if live and not force:
        text = f"node {node.name} has {len(live)} tasks: drain it first, or remove it by force"
        return Refusal("conflict", text)
    draft = Draft(state)
    draft.put(Change("nodes", node.id, None), Change("departed", node.id, Departed(node.id, node.name, now)))
    for task in tasks:
        # One that ended, and that nobody wants gone, goes on telling how its work went.
        if not task.ended or task.desired == "remove":
            draft.put(Change("tasks", task.id, None))
    draft.tell("node.removed", node.name, f"removed with {len(live)} tasks" if live else "removed")
    sweep(draft)
    return draft.decided({node.name: "removed"})
