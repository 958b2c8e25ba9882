"""Removes a volume from all machines that have it, and says of each what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import TypedDict

from actors.protocol import DoneWell, DropVolume
from actors.provisions import PROVISIONS
from cluster.holding import held, holders
from cluster.model import State
from portal.backend import Backend
from portal.machines import ask_each

SECONDS = 25.0


class KeptOn(TypedDict):
    """A machine that keeps a volume, and why."""

    node: str
    why: str


@dataclass(slots=True)
class Removal:
    """By the names of machines: those that the volume is gone from, and why it is not from others."""

    removed: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def kept_on(self) -> list[KeptOn]:
        """The machines that keep it, by name."""
        return [{"node": node, "why": why} for node, why in sorted(self.kept.items())]

    @property
    def words(self) -> str:
        """What became of it, in short."""
        gone = [f"removed from {', '.join(self.removed)}"] if self.removed else []
        return "; ".join((*gone, *(f"{node} keeps it: {why}" for node, why in sorted(self.kept.items()))))


async def remove(backend: Backend, state: State, volume: str) -> Removal:
    """Have all machines remove it at the same time. That it may go is the Senate's to say, before this.

    `state` is to be read after that: where somebody holds on to the volume by now, no machine is asked.
    """
    if why := held(state, volume):
        return _kept(state, volume, f"keeps it: {why}")
    questions = dict.fromkeys(holders(state, volume), DropVolume(volume))
    heard = await ask_each(backend, state, PROVISIONS, questions, DoneWell, SECONDS)
    removed = sorted(state.nodes[id].name for id in heard.answers)
    return Removal(removed, {state.nodes[id].name: why for id, why in heard.silent.items()})


def still_there(state: State, volume: str) -> Removal:
    """What a repeat is answered with: what is there by now may hold other data than what was given up."""
    return _kept(state, volume, "has it still, or again, and a repeat removes nothing: ask anew, under another key")


def _kept(state: State, volume: str, why: str) -> Removal:
    return Removal(kept={state.nodes[id].name: why for id in holders(state, volume)})
