"""What a task's row says to a person: its state in a word or two, and the sentence beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cli.table import Row
from cli.words import countdown, seconds_of

PAST_SHOWN = 5


def short_name(task: Row) -> str:
    """`web.1`: what a task is called inside its stack."""
    return f"{task['service']}.{task['slot']}"


def state(task: Row, now: float) -> str:
    """`running`, `healthy`, `pulling 42%`, `restarting in 8 s`, ..."""
    progress = task.get("progress")
    if progress:
        return str(progress["message"])
    if task["state"] == "running":
        return {"healthy": "healthy", "unhealthy": "unhealthy", "starting": "starting"}.get(task["health"], "running")
    wait = countdown(task.get("restart_at"), now)
    return f"restarting in {wait} s" if wait else str(task["state"])


def note(task: Row) -> str:
    """Why it is as it is: its problem, else the message of a state that does not speak for itself."""
    if task.get("problem"):
        return str(task["problem"])
    if task.get("progress"):
        return ""
    return "" if task["state"] == "running" and task["health"] != "unhealthy" else str(task.get("message") or "")


def is_good(task: Row) -> bool:
    """Whether nobody has to wait for it or worry about it."""
    return task["state"] == "complete" or (task["state"] == "running" and task["health"] in ("", "healthy"))


def is_bad(task: Row) -> bool:
    """Whether something went wrong with it."""
    return bool(task.get("problem")) or task["state"] in ("failed", "rejected", "lost") or task["health"] == "unhealthy"


def with_past(tasks: Iterable[Row]) -> Iterator[Row]:
    """Every slot's newest task, and under it what came before: older tasks, and the ended containers of each.

    A row of the past has the key `ended` with one container's `exit_code`, `reason` and `ended_at`. The newest is
    first, and a slot shows at most five.
    """
    slots: dict[tuple[str, str, int], list[Row]] = {}
    for task in tasks:
        slots.setdefault((task["stack"], task["service"], task["slot"]), []).append(task)
    for _, lives in sorted(slots.items()):
        newest = max(lives, key=_freshness)
        yield newest
        past = [{**task, "ended": ended} for task in lives for ended in _ended(task, is_newest=task is newest)]
        past.sort(key=lambda row: seconds_of(row["ended"]["ended_at"]), reverse=True)
        yield from past[:PAST_SHOWN]


def _freshness(task: Row) -> tuple[bool, float]:
    return task["desired"] in ("ready", "run"), seconds_of(task["since"])


def _ended(task: Row, *, is_newest: bool) -> list[Row]:
    """The ended containers of a task; a task that is over and never had one stands for itself."""
    past: list[Row] = list(task.get("past") or ())
    if past or is_newest:
        return past
    reason = task.get("problem") or task.get("message") or task["state"]
    return [{"exit_code": task.get("exit_code"), "reason": reason, "ended_at": task["since"], "container_name": ""}]
