"""Which machines count as down, and whether their tasks are to be replaced: from what links say, and since when.

Pure, and level-triggered: it is asked again after every change and from time to time, and names what is to be changed.
Times are seconds of one clock that nobody sets. It is no earlier manager's, whose words for a machine are all that is
left of it: one that is down since before was lost long ago.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cluster.model import Node

GRACE = 30.0
"""Seconds after a manager's start in which nobody counts as down for not having been heard of yet."""
HOLD = 60.0
"""Seconds after a planned stop in which a machine's tasks are not replaced."""
AT_ONCE = 30.0
"""Machines lost within so many seconds are lost at once."""
GATHERING = 30.0
"""Seconds after a return in which those who were lost with it are still waited for: links are not up all at once."""
MOST_LOST = 50
"""Percent of all machines: where more are lost at once, no tasks are replaced, unless people chose another figure."""

PAUSED = "replacement_paused"
"""The setting that holds why no tasks are replaced, or CONFIRMED once a person wants them to be all the same."""
CONFIRMED = "confirmed"
PAUSE_ABOVE = "replacement_pause_above"
"""The setting that holds what people chose in the place of MOST_LOST."""
CONFIRM = "gbnt legion confirm-loss"
"""What a person types where the machines are really gone."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What the link to a machine says of it. `left`: it announced its stop. `ups` counts its returns.

    `since` is when it came or went: a doubt in between is neither.
    """

    status: Literal["up", "suspect", "down"]
    since: float
    reason: str = ""
    left: bool = False
    ups: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """A machine that counts as down, in words; `replaced`: its tasks are to be replaced elsewhere."""

    node: str
    words: str
    replaced: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be changed. `paused` is what the setting PAUSED should be; empty for none."""

    losses: tuple[Loss, ...]
    paused: str


@dataclass(frozen=True, slots=True)
class _Missing:
    node: Node
    reason: str
    since: float
    planned: bool = False

    @property
    def due(self) -> float:
        """From when on its tasks may be replaced."""
        return self.since + (HOLD if self.planned else 0.0)


def alarm(settings: Mapping[str, str]) -> str:
    """Why no tasks are replaced, in a sentence with what to do; empty where they are."""
    paused = settings.get(PAUSED, "")
    return "" if paused == CONFIRMED else paused


def pause_above(settings: Mapping[str, str]) -> int:
    """Percent of all machines: where more are lost at once, no tasks are replaced."""
    return int(settings.get(PAUSE_ABOVE, MOST_LOST))


def judge(
    nodes: Iterable[Node],
    own: str,
    presences: Mapping[str, Presence],
    began: float,
    now: float,
    paused: str,
    above: int = MOST_LOST,
) -> Judgement:
    """What follows for machines that are not heard. `own` is the manager's node, `began` when it began to listen.

    `paused` is the setting PAUSED as it stands, `above` what `pause_above` gives. Of machines that are suspect nothing
    follows yet, but they count among those that are lost at once: the first of many to be down is not to have its
    tasks replaced before the others are.
    """
    every = list(nodes)
    others = [node for node in every if node.id != own]
    missing = [one for node in others if (one := _missing(node, presences.get(node.id), began, now)) is not None]
    suspects = sum(presences[node.id].status == "suspect" for node in others if node.id in presences)
    most = above * len(every) / 100
    unplanned = [one for one in missing if not one.planned]
    back = max((presences[node.id].since for node in others if _is_back(presences.get(node.id))), default=began)
    if not (paused and unplanned and now < back + GATHERING):
        paused = _paused(paused, unplanned, suspects, len(every), most, now)
    losses = (_loss(one, now, "" if paused == CONFIRMED else paused) for one in missing)
    return Judgement(tuple(loss for loss, one in zip(losses, missing, strict=True) if _is_news(loss, one.node)), paused)


def _missing(node: Node, presence: Presence | None, began: float, now: float) -> _Missing | None:
    if presence is None or (presence.status == "down" and not presence.ups):
        if now < began + GRACE:
            return None
        since = -math.inf if node.status == "down" else began + GRACE
        return _Missing(node, "was not heard of since the manager began", since)
    if presence.status != "down":
        return None
    reason = "stopped by plan" if presence.left else presence.reason
    return _Missing(node, reason, presence.since, presence.left)


def _is_back(presence: Presence | None) -> bool:
    return presence is not None and presence.status != "down"


def _paused(paused: str, missing: list[_Missing], suspects: int, total: int, most: float, now: float) -> str:
    if paused:
        return paused if len(missing) + suspects > most else ""
    fresh = sum(now - one.since <= AT_ONCE and not one.node.replaced for one in missing)
    if not fresh or fresh + suspects <= most:
        return ""
    lost = f"{fresh + suspects} of {total} machines were lost at once"
    return f"no tasks are replaced: {lost}; look at the network first, and if they are really gone: `{CONFIRM}`"


def _loss(one: _Missing, now: float, paused: str) -> Loss:
    if one.node.replaced:
        return Loss(one.node.id, one.reason, True)
    if paused:
        return Loss(one.node.id, f"{one.reason}; {paused}", False)
    if now < one.due:
        return Loss(one.node.id, f"{one.reason}; its tasks are replaced in {HOLD:.0f} s", False)
    return Loss(one.node.id, one.reason, True)


def _is_news(loss: Loss, node: Node) -> bool:
    return (node.status, node.message, node.replaced) != ("down", loss.words, loss.replaced)
