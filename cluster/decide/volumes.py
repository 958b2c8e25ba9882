"""Decisions on volumes that no stack names any more."""

from __future__ import annotations

from cluster.decide.decision import Decision, Draft, Refusal, missing
from cluster.holding import held, holders, volumes_there
from cluster.model import State


def remove_volume(state: State, name: str) -> Decision:
    """Give up a volume and all data in it. Nothing of the state changes: the machines are to be asked, and will tell.

    Refused while a stack names it or a task uses it.
    """
    if why := held(state, name):
        return Refusal("conflict", why)
    there = holders(state, name)
    if not there:
        return missing("volume", name, dict.fromkeys(volumes_there(state)))
    draft = Draft(state)
    nodes = ", ".join(state.nodes[id].name for id in there)
    draft.tell("volume.given-up", name, f"given up with all data in it, on {nodes}")
    return draft.decided({name: "given up"})
