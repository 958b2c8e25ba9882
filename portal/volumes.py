"""Removes a volume from all machines that have it, and says of each what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio

from actors.protocol import DoneWell, DropVolume
from actors.provisions import PROVISIONS
from cluster.holding import held, holders
from cluster.model import Node, State
from portal.backend import Backend
from portal.machines import Silent, ask_machine

SECONDS = 25.0


@dataclass(slots=True)
class Removal:
    """By the names of machines: those that the volume is gone from, and why it is not from others."""

    removed: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

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
    removal = Removal()

    async def one(node: Node) -> None:
        try:
            await ask_machine(backend, node, PROVISIONS, DropVolume(volume), DoneWell, SECONDS)
        except Silent as why:
            removal.kept[node.name] = str(why)
        else:
            removal.removed.append(node.name)

    async with anyio.create_task_group() as group:
        for id in holders(state, volume):
            group.start_soon(one, state.nodes[id])
    removal.removed.sort()
    return removal


def still_there(state: State, volume: str) -> Removal:
    """What a repeat is answered with: what is there by now may hold other data than what was given up."""
    return _kept(state, volume, "has it still, or again, and a repeat removes nothing: ask anew, under another key")


def _kept(state: State, volume: str, why: str) -> Removal:
    return Removal(kept={state.nodes[id].name: why for id in holders(state, volume)})
