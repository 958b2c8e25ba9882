"""Which machines count as down, and whether their tasks are to be replaced: from what links say, and since when.

Pure, and level-triggered: it is asked again after every change and from time to time, and names what is to be changed.
Times are seconds of one clock that nobody sets. It is no earlier manager's, whose words for a machine are all that is
left of it: what is waited for before its tasks are replaced is waited for anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cluster.model import Node

GRACE = 30.0
"""Seconds after a manager's start in which nobody counts as down for not having been heard of yet."""
HOLD = 60.0
"""Seconds after a planned stop, or without an engine that answers, in which a machine's tasks are not replaced."""
AT_ONCE = 30.0
"""Machines whose tasks are due within so many seconds of each other are lost at once."""
GATHERING = 30.0
"""Seconds after a return in which those who were lost with it are still waited for: links are not up all at once."""
MOST_LOST = 50
"""Percent of all machines: where more are lost at once, no tasks are replaced, unless people chose another figure."""

PAUSED = "replacement_paused"
"""The setting that holds why no tasks are replaced."""
PAUSE_ABOVE = "replacement_pause_above"
"""The setting that holds what people chose in the place of MOST_LOST."""
CONFIRM = "gbnt legion confirm-loss"
"""What a person types where the machines are really gone."""

Cause = Literal["silence", "unheard", "plan", "engine"]
"""Why a machine is missing: its link fell silent, it has not been heard of since the manager began, it announced its
stop, or it is heard and has no engine that answers, and so is not down."""

HELD: Mapping[Cause, float] = {"silence": 0.0, "unheard": GRACE, "plan": HOLD, "engine": HOLD}
"""For how many seconds a machine may be missing before its tasks are replaced."""


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
class Watch:
    """What a manager on the node `own` has heard of the others since it began to listen, at `began`.

    `ailing` says of each machine whose engine does not answer since when; its own may be among them.
    """

    own: str
    began: float
    presences: Mapping[str, Presence]
    ailing: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loss:
    """A machine that is lost, in words; `replaced`: its tasks are to be replaced elsewhere."""

    node: str
    words: str
    replaced: bool
    cause: Cause = "silence"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be changed. `paused` is what the setting PAUSED should be; empty for none."""

    losses: tuple[Loss, ...]
    paused: str


@dataclass(frozen=True, slots=True)
class _Missing:
    node: Node
    cause: Cause
    since: float
    reason: str

    @property
    def due(self) -> float:
        """From when on its tasks may be replaced."""
        return self.since + HELD[self.cause]


def alarm(settings: Mapping[str, str]) -> str:
    """Why no tasks are replaced, in a sentence with what to do; empty where they are."""
    return settings.get(PAUSED, "")


def pause_above(settings: Mapping[str, str]) -> int:
    """Percent of all machines: where more are lost at once, no tasks are replaced."""
    return int(settings.get(PAUSE_ABOVE, MOST_LOST))


def judge(nodes: Iterable[Node], watch: Watch, now: float, paused: str, above: int = MOST_LOST) -> Judgement:
    """What follows for machines that are not heard.

    `paused` is the setting PAUSED as it stands, `above` what `pause_above` gives. Machines whose tasks were replaced
    already are lost to the cluster, and count neither among those that are missing nor among all. Where there is but
    one machine nothing can be replaced elsewhere.
    """
    every = list(nodes)
    if len(every) == 1:
        return Judgement((), "")
    missing = {node.id: one for node in every if (one := _missing(node, watch)) is not None}
    count = _Count(
        total=sum(not node.replaced for node in every),
        lost=[one for one in missing.values() if not one.node.replaced],
        suspects=sum(_is(node, "suspect", watch) for node in every if not node.replaced and node.id not in missing),
        above=above,
    )
    back = max((watch.presences[node.id].since for node in every if _is_back(node, watch)), default=watch.began)
    paused = count.still(paused, now, now < back + GATHERING) if paused else count.pause(now)
    losses = (_loss(one, now, paused) for one in missing.values())
    return Judgement(tuple(loss for loss in losses if loss is not None), paused)


def _missing(node: Node, watch: Watch) -> _Missing | None:
    presence = watch.presences.get(node.id)
    if node.id == watch.own or (presence is not None and presence.status != "down"):
        if node.id in watch.ailing:
            return _Missing(node, "engine", watch.ailing[node.id], f"its engine has not answered for {HOLD:.0f} s")
        return None
    if presence is None or not presence.ups:
        if node.planned:
            return _Missing(node, "plan", watch.began, "stopped by plan")
        return _Missing(node, "unheard", watch.began, "was not heard of since the manager began")
    if presence.left:
        return _Missing(node, "plan", presence.since, "stopped by plan")
    return _Missing(node, "silence", presence.since, presence.reason)


def _is(node: Node, status: str, watch: Watch) -> bool:
    return node.id in watch.presences and watch.presences[node.id].status == status


def _is_back(node: Node, watch: Watch) -> bool:
    return node.id != watch.own and (_is(node, "up", watch) or _is(node, "suspect", watch))


@dataclass(frozen=True, slots=True)
class _Count:
    """Which machines are `lost`, and of how many.

    The first of many to be due is not to be replaced before the others are: those that are suspect count with them,
    and those that are due soon.
    """

    total: int
    lost: list[_Missing]
    suspects: int
    above: int

    def pause(self, now: float) -> str:
        """Why replacement is to pause; empty where it is not."""
        at_once = [one for one in self.lost if abs(now - one.due) <= AT_ONCE]
        if not any(one.due <= now for one in at_once) or not self._is_most(len(at_once)):
            return ""
        lost = f"{len(at_once) + self.suspects} of {self.total} machines were lost at once"
        return f"no tasks are replaced: {lost}; look at the network first, and if they are really gone: `{CONFIRM}`"

    def still(self, paused: str, now: float, gathering: bool) -> str:
        """The pause as it goes on, however long ago they were lost; empty where it ends."""
        soon = sum(one.due <= now + AT_ONCE for one in self.lost)
        return paused if (soon and gathering) or self._is_most(soon) else ""

    def _is_most(self, lost: int) -> bool:
        return 100 * (lost + self.suspects) > self.above * self.total


def _loss(one: _Missing, now: float, paused: str) -> Loss | None:
    """What is to be said of it; None where that is no news, or nothing yet."""
    node, words, replaced = one.node, one.reason, True
    if one.cause in ("unheard", "engine") and now < one.due:
        return None
    if paused and not node.replaced:
        words, replaced = f"{words}; {paused}", False
    elif now < one.due and not node.replaced:
        words, replaced = f"{words}; its tasks are replaced in {HOLD:.0f} s", False
    loss = Loss(node.id, words, replaced, one.cause)
    if one.cause == "engine":  # what is to be said of it it says itself
        return loss if replaced and not node.replaced else None
    known = (node.status, node.message, node.replaced, node.planned)
    return None if known == ("down", words, replaced, one.cause == "plan") else loss
