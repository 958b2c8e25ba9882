"""Why a task is where it is, or nowhere: each machine with all that speaks against it, and what would change that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from cluster.model import Service, State, Task
from cluster.moves import WANTED
from cluster.objections import inflected
from cluster.placement import Board

Word = Literal["here", "best", "fits", "no"]

MOST_SAID = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason against a machine, said of that alone, and what would change it; empty where nothing can."""

    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A machine by its name and id.

    It is `here` that the task is, or the `best` that it could go to now; it `fits`, too, or there are reasons why `no`.
    """

    node: str
    id: str
    word: Word
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is said of a task or service in one sentence, and of each machine, by name."""

    subject: str
    sentence: str
    nodes: tuple[Judged, ...]


def said(task: Task) -> str:
    """What a person is told of how a task stands: its own words, or why nothing is known of it."""
    return task.message if task.ended else task.unknown or task.message


def explain_task(state: State, task: Task) -> Explanation:
    """Why a task is where it is, and where its successor could go. One that does not serve says what its list says."""
    node = state.nodes.get(task.node)
    if node is not None:
        sentence = f"is on {node.name}" + ("" if task.serving else f", {said(task) or task.standing}")
    else:
        sentence = said(task) or f"is {task.standing}"
    service = state.services.get(task.service_key)
    judged = _judged(Board(state), state, service, task.slot, {task.node}) if service is not None else ()
    return Explanation(task.name, sentence, judged)


def explain_service(state: State, service: Service) -> Explanation:
    """Where another task of a service could go, or what those of it say that do not serve."""
    wanted = [task for task in state.tasks_of(service.key) if task.desired in WANTED]
    waiting = [task for task in wanted if task.state == "pending"]
    slot = waiting[0].slot if waiting else max((task.slot for task in wanted), default=0) + 1
    board = Board(state)
    amiss = _amiss(wanted, service.replicas)
    if service.spec.mode == "global":
        judged = _judged(board, state, service, 0, {task.node for task in wanted})
        sentence = f"is global: it is to have a task on {service.replicas} of {len(state.nodes)} machines"
        return Explanation(service.key, "; ".join((sentence, *amiss)), judged)
    judged = _judged(board, state, service, slot, ())
    best = next((one.node for one in judged if one.word == "best"), "")
    if amiss:
        sentence = "; ".join(amiss)
    elif best:
        sentence = f"another task would go to {best}"
    else:
        sentence = f"another task {board.place(service, slot)[1].replace('waits', 'would wait', 1)}"
    return Explanation(service.key, sentence, judged)


def _amiss(wanted: Iterable[Task], replicas: int) -> list[str]:
    """What keeps those from serving that do not, and how many each; the most frequent alone where that is much."""
    why = Counter(said(task) or task.standing for task in wanted if not task.serving and task.state != "complete")
    told = [f"{count} of {replicas} tasks: {words}" for words, count in why.most_common(MOST_SAID)]
    rest = sum(count for _, count in why.most_common()[MOST_SAID:])
    return [*told, f"{rest} more for other reasons"] if rest else told


def _judged(board: Board, state: State, service: Service, slot: int, here: Collection[str]) -> tuple[Judged, ...]:
    best = board.place(service, slot)[0] if service.spec.mode != "global" else None
    against = board.explain(service, slot)
    judged = list[Judged]()
    for node in sorted(state.nodes.values(), key=lambda node: (node.name, node.id)):
        reasons = tuple(Reason(inflected(one.why, 1), one.remedy) for one in against[node.id])
        word: Word = "no" if reasons else "best" if best is not None and best.id == node.id else "fits"
        judged.append(Judged(node.name, node.id, "here" if node.id in here else word, reasons))
    return tuple(judged)
