"""Decisions on what holds for all machines."""

from __future__ import annotations

from cluster.decide.decision import Decision, Draft, Refusal
from cluster.model import Change, State
from cluster.policy import PRIVILEGED, Privileged, privileged, takes_mighty
from cluster.presence import MOST_LOST, PAUSE_ABOVE, pause_above

_WORDS: dict[Privileged, str] = {
    "auto": "are taken while there is but one machine",
    "allow": "are taken on any number of machines",
    "refuse": "are refused",
}


def update_legion(state: State, above: int | None, chosen: Privileged | None) -> Decision:
    """Change a setting of the cluster, or several; None leaves one as it is.

    `above`: pause replacement where more than so many percent of all machines are lost at once; 100 is never.
    `chosen`: whether stacks may use keys by which a container gets out of its walls.
    """
    if above is not None and not 0 <= above <= 100:
        return Refusal("invalid", f"{above} percent of the machines: give a number from 0 to 100, where 100 is never")
    draft = Draft(state)
    told: dict[str, str] = {}
    if above is not None:
        told["pause_above"] = _pause(draft, above)
    if chosen is not None:
        told["privileged"] = _privileged(draft, chosen)
    return draft.decided(told)


def _pause(draft: Draft, above: int) -> str:
    if above == pause_above(draft.state.settings):
        return "unchanged"
    draft.put(Change("settings", PAUSE_ABOVE, None if above == MOST_LOST else str(above)))
    words = f"pauses where more than {above} % of the machines are lost at once"
    draft.tell("legion.updated", "replacement", words)
    return words


def _privileged(draft: Draft, chosen: Privileged) -> str:
    if chosen == privileged(draft.state):
        return "unchanged"
    draft.put(Change("settings", PRIVILEGED, None if chosen == "auto" else chosen))
    draft.tell("legion.updated", "privileged keys", _WORDS[chosen])
    return _WORDS[chosen]


def say_no_longer_alone(draft: Draft, before: State) -> None:
    """Tell of it when a second machine puts an end to what one machine by itself was allowed."""
    if takes_mighty(before) and not takes_mighty(draft.state):
        draft.tell("legion.updated", "privileged keys", "are refused from now on: there is more than one machine")
