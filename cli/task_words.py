"""What a task's row says to a person: its state in a word or two, and the sentence beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypedDict, cast

from cli.words import countdown, seconds_of

if TYPE_CHECKING:
    from portal.shapes import TaskRow

PAST_SHOWN = 5


class Ended(TypedDict):
    """What a list shows of a container that ended."""

    exit_code: int | None
    reason: str
    ended_at: float
    container_name: str


def short_name(task: TaskRow) -> str:
    """`web.1`: what a task is called inside its stack."""
    return f"{task['service']}.{task['slot']}"


def state(task: TaskRow, now: float) -> str:
    """`running`, `healthy`, `pulling 42%`, `restarting in 8 s`, ..."""
    progress = task.get("progress")
    if progress:
        return str(progress["message"])
    if task["state"] == "running":
        return {"healthy": "healthy", "unhealthy": "unhealthy", "starting": "starting"}.get(task["health"], "running")
    wait = countdown(task.get("restart_at"), now)
    return f"restarting in {wait} s" if wait else str(task["state"])


def note(task: TaskRow) -> str:
    """Why it is as it is: its problem, else the message of a state that does not speak for itself."""
    if task.get("problem"):
        return str(task["problem"])
    if task.get("progress"):
        return ""
    return "" if task["state"] == "running" and task["health"] != "unhealthy" else str(task.get("message") or "")


def is_good(task: TaskRow) -> bool:
    """Whether nobody has to wait for it or worry about it."""
    return task["state"] == "complete" or (task["state"] == "running" and task["health"] in ("", "healthy"))


def is_bad(task: TaskRow) -> bool:
    """Whether something went wrong with it."""
    return bool(task.get("problem")) or task["state"] in ("failed", "rejected", "lost") or task["health"] == "unhealthy"


def with_past(tasks: Iterable[TaskRow]) -> Iterator[TaskRow]:
    """Every slot's newest task, and under it what came before: older tasks, and the ended containers of each.

    A row of the past is of one container, which `ended_of` tells. The newest is first, and a slot shows at most five.
    """
    slots: dict[tuple[str, str, int], list[TaskRow]] = {}
    for task in tasks:
        slots.setdefault((task["stack"], task["service"], task["slot"]), []).append(task)
    for _, lives in sorted(slots.items()):
        newest = max(lives, key=_freshness)
        yield newest
        past = [(task, ended) for task in lives for ended in _ended(task, is_newest=task is newest)]
        past.sort(key=lambda one: seconds_of(one[1]["ended_at"]), reverse=True)
        yield from (cast("TaskRow", {**task, "ended": ended}) for task, ended in past[:PAST_SHOWN])


def ended_of(row: TaskRow) -> Ended | None:
    """The container that a row of the past is of; None for a task itself."""
    return cast("Ended | None", row.get("ended"))


def _freshness(task: TaskRow) -> tuple[bool, float]:
    return task["desired"] in ("ready", "run"), seconds_of(task["since"])


def _ended(task: TaskRow, *, is_newest: bool) -> list[Ended]:
    """The ended containers of a task; a task that is over and never had one stands for itself."""
    past: list[Ended] = list(task.get("past") or ())
    if past or is_newest:
        return past
    reason = task.get("problem") or task.get("message") or task["state"]
    return [{"exit_code": task.get("exit_code"), "reason": reason, "ended_at": task["since"], "container_name": ""}]
