"""Decisions of people on machines: what they may be used for, how they are labelled, and that one is gone for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import cast, get_args

from cluster.ask import ask_of
from cluster.constraints import is_label
from cluster.decide.decision import Decided, Decision, Draft, Refusal
from cluster.decide.references import meant
from cluster.decide.sweep import sweep
from cluster.model import Availability, Change, Departed, Node, Role, State
from cluster.moves import WANTED, emptied
from cluster.volumes import given_up, listed, missed

NAMED = 3
WORDS: Mapping[str, str] = {
    "active": "gets new tasks",
    "pause": "keeps its tasks and gets no new ones",
    "drain": "its tasks move elsewhere, one by one",
    "maintenance": "its tasks move elsewhere, one by one",
}
ROLES: Mapping[str, str] = {
    "manager": "a manager, which does not vote yet: one manager serves in this release",
    "worker": "a worker",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be changed of a machine. What is empty stays; `unlabel` are labels to take away."""

    availability: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    unlabel: tuple[str, ...] = ()
    role: str = ""


def find_node(state: State, reference: str) -> Node | Refusal:
    """The machine of that id, name, or unique beginning of an id."""
    id = meant("node", reference, {node.id: node.name for node in state.nodes.values()}, "gbnt node ls")
    return id if isinstance(id, Refusal) else state.nodes[id]


def update_node(state: State, reference: str, wanted: Wanted, own: str = "") -> Decision:
    """Change what a machine may be used for, its labels and its role. `own` is the node that decides."""
    node = find_node(state, reference)
    if isinstance(node, Refusal):
        return node
    wrong = _wrong(state, node, wanted, own)
    if wrong is not None:
        return wrong
    kept = {key: value for key, value in node.labels.items() if key not in wanted.unlabel}
    now = replace(
        node,
        availability=cast(Availability, wanted.availability or node.availability),
        labels={**kept, **wanted.labels},
        role=cast(Role, wanted.role or node.role),
    )
    if now == node:
        return Decided(told={node.name: "unchanged"})
    words = _words(state, node, now)
    draft = Draft(state)
    draft.put(Change("nodes", node.id, now))
    draft.tell("node.updated", node.name, words)
    return draft.decided({node.name: words})


def _wrong(state: State, node: Node, wanted: Wanted, own: str) -> Refusal | None:
    """Why a machine cannot be changed so."""
    for word, known in ((wanted.availability, get_args(Availability)), (wanted.role, get_args(Role))):
        if word and word not in known:
            return Refusal("invalid", f"there is no {word}: choose one of {', '.join(known)}")
    for name in wanted.labels:
        if not is_label(name):
            return Refusal("invalid", f'no constraint could name a label "{name}": use letters, digits, and . _ / -')
    if wanted.role == "worker" and (needed := _needed(state, node, own)):
        return Refusal("conflict", needed)
    return None


def _needed(state: State, node: Node, own: str) -> str:
    """Why the cluster cannot do without this node as a manager; empty where it can."""
    if node.role != "manager":
        return ""
    if not any(other.role == "manager" and other.id != node.id for other in state.nodes.values()):
        return f"node {node.name} is the last manager: the cluster would be without one"
    if node.id == own:
        why = "no other manager votes yet, so that none could take its place"
        return f"node {node.name} is the manager that serves: {why} in this release"
    return ""


def _words(state: State, before: Node, after: Node) -> str:
    words = [f"{after.availability}: {WORDS[after.availability]}"] if after.availability != before.availability else []
    words += ["labels changed"] if after.labels != before.labels else []
    words += (
        [f"is {ROLES[after.role]}; its certificate says so once it is renewed"] if after.role != before.role else []
    )
    return "; ".join([*words, *_misfits(state, before, after)])


def _misfits(state: State, before: Node, after: Node) -> Iterator[str]:
    """What is said of the tasks there whose constraints the machine met before and does not meet now."""
    if (before.labels, before.role) == (after.labels, after.role):
        return
    names = list[str]()
    for task in state.tasks.values():
        if task.node == after.id and task.desired in WANTED and not task.ended:
            terms = ask_of(task.stack, state.spec_of(task)).terms
            if terms.allow(before) and not terms.allow(after):
                names.append(task.name)
    if len(names) == 1:
        yield f"1 task there no longer fits: {names[0]} stays until it is replaced"
    elif names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield f"{len(names)} tasks there no longer fit: {', '.join(sorted(names)[:NAMED])}{more} stay until replaced"


def remove_node(state: State, reference: str, force: bool, now: float, own: str = "") -> Decision:
    """Forget a machine. By force: also where it lives, has tasks, or has data that services keep in volumes.

    Its tasks are replaced then, whatever becomes of it, and may begin with empty volumes. Its id is remembered: a
    certificate of its own may be good for a while yet, and is not to count.
    """
    node = find_node(state, reference)
    if isinstance(node, Refusal):
        return node
    if node.role == "manager":
        demote = f"node {node.name} is a manager: demote it first, `gbnt node demote {node.name}`"
        return Refusal("conflict", _needed(state, node, own) or demote)
    live = _live(state, node)
    if live and not force:
        many = "1 task" if live == 1 else f"{live} tasks"
        first = f"`gbnt node update {node.name} --availability drain` first"
        return Refusal("conflict", f"node {node.name} has {many}: {first}, or remove it by force (--force)")
    if node.status != "down" and not force:
        first = "`gbnt legion leave` there takes it out, or stop gbnt there first"
        return Refusal("conflict", f"node {node.name} is {node.status}: {first}, or remove it by force (--force)")
    kept = None if force else _kept(state, node)
    return kept or _forget(state, node, f"removed with {live} tasks" if live else "removed", now)


def leave_node(state: State, id: str, force: bool, now: float, own: str = "") -> Decision:
    """A machine leaves by its own word: it is emptied, and forgotten once it is empty; by force at once.

    One that has data of services is forgotten by force alone. It is asked for again until the machine is gone; after
    that nothing is changed.
    """
    node = state.nodes.get(id)
    if node is None:
        return Decided()
    if node.role == "manager":
        return remove_node(state, id, force, now, own)  # which refuses, with what to do first
    if force or not _live(state, node):
        kept = None if force else _kept(state, node)
        return kept or _forget(state, node, "left by its own word", now)
    if node.id in emptied([node]):
        return Decided()
    return update_node(state, id, Wanted("drain"), own)


def _live(state: State, node: Node) -> int:
    """How many tasks it has that have not ended."""
    return sum(task.node == node.id and not task.ended for task in state.tasks.values())


def _kept(state: State, node: Node) -> Refusal | None:
    """Why a machine cannot be forgotten yet: services would begin elsewhere, and without what they have there."""
    users = missed(state, node)
    if not users:
        return None
    first = "remove what uses it, or give it up by force (--force)"
    return Refusal("conflict", f"node {node.name} has the data of {listed(users)}: {first}")


def _forget(state: State, node: Node, words: str, now: float) -> Decided:
    draft = Draft(state)
    draft.put(Change("nodes", node.id, None), Change("departed", node.id, Departed(node.id, node.name, now)))
    for task in list(state.tasks.values()):
        # One that ended, and that nobody wants gone, goes on telling how its work went.
        if task.node == node.id and (not task.ended or task.desired == "remove"):
            draft.put(Change("tasks", task.id, None))
    lost = given_up(state, node)
    draft.tell("node.removed", node.name, f"{words}; {lost}" if lost else words)
    sweep(draft)
    return draft.decided({node.name: f"removed; {lost}" if lost else "removed"})
