"""Decisions on whether tasks of lost machines are replaced: a pause when many are lost at once, and a person's word."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.changed import changed
from cluster.decide.decision import Decided, Draft
from cluster.decide.nodes import lose
from cluster.model import Change, Node, State, Task
from cluster.placement import Board
from cluster.presence import HOLD, PAUSED, Cause, alarm


def pause(state: State, words: str) -> Decided:
    """Replace no tasks of machines that are down, for the reason in `words`; empty: go on."""
    if alarm(state.settings) == words:
        return Decided()
    draft = Draft(state)
    draft.put(Change("settings", PAUSED, words or None))
    draft.tell("legion.paused" if words else "legion.resumed", "replacement", words or "goes on")
    return draft.decided()


def confirm_loss(state: State, now: float) -> Decided:
    """A person says that the machines that are down now are gone: their tasks are replaced all the same.

    Of those that are lost later nothing was said.
    """
    if not alarm(state.settings):
        return Decided(told={"replacement": "is not paused: nothing to confirm"})
    draft = Draft(state)
    draft.put(Change("settings", PAUSED, None))
    draft.tell("legion.confirmed", "replacement", "a person confirmed the loss: tasks are replaced all the same")
    lost = sorted(_lost(state, now), key=lambda node: node.name)
    for node in lost:
        cause: Cause = "engine" if node.status == "unavailable" else "plan" if node.planned else "silence"
        lose(draft, node, "a person confirmed its loss", True, now, cause)
    told = _foretold(draft.state, lost)
    return draft.decided(told or {"replacement": "goes on"})


def _lost(state: State, now: float) -> list[Node]:
    """Those that are down, and those whose engine has not answered for long enough."""
    ailing = {node.id for node in state.nodes.values() if node.status == "unavailable" and now - node.since >= HOLD}
    return [node for node in state.nodes.values() if node.status == "down" or node.id in ailing]


def _foretold(state: State, lost: Iterable[Node]) -> dict[str, str]:
    """What becomes of each machine's tasks: data, constraints and room may keep some from going elsewhere."""
    board, told = Board(state), dict[str, str]()
    for node in lost:
        moved = [
            _finds_a_machine(board, state, task)
            for task in state.tasks.values()
            if task.node == node.id and task.desired == "run" and task.forsaken
        ]
        told[node.name] = _words(moved.count(True), moved.count(False))
    return told


def _finds_a_machine(board: Board, state: State, task: Task) -> bool:
    """Whether there is one for who takes its place now, and takes it."""
    elsewhere, _ = board.place(state.services[task.service_key], task.slot)
    if elsewhere is not None:
        board.take(changed(task, node=elsewhere.id), state.spec_of(task))
    return elsewhere is not None


def _words(replaced: int, waiting: int) -> str:
    told = f"{replaced} task{'' if replaced == 1 else 's'} replaced elsewhere from now on"
    more = f", {waiting} {'waits' if waiting == 1 else 'wait'} for a machine: `gbnt task ls` says why"
    return told + (more if waiting else "")
