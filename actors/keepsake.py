"""What a machine was told to do, kept where a reboot leaves it, so that it goes on though no manager answers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

import anyio

from actors import protocol
from supervisor.actor import Context
from supervisor.message import message

# A manager that answers knows better what is to run here: it is waited for before what is kept counts.
PATIENCE = 10.0
# The orders of a machine that has left its cluster.
NOTHING = protocol.Assign(
    epoch=0,
    revision=0,
    full=True,
    assignments=(),
    gone=(),
    networks=(),
    volumes=(),
    remove_volumes=(),
    completed=(),
)

log = logging.getLogger(__name__)


class Unkept(Exception):
    """Orders could not be kept, or not be read. The text is a sentence for a person."""


class Drawer(Protocol):
    """The port to the place where orders are kept. Both calls raise `Unkept`."""

    async def load(self) -> protocol.Assign | None:
        """Return what was saved last; None where nothing was."""

    async def save(self, orders: protocol.Assign) -> None:
        """Keep full orders in the place of those before. Whoever is killed meanwhile leaves one of the two, whole."""


@message("agent.recalled/1")
@dataclass(frozen=True, slots=True)
class Recalled:
    """From the agent to itself: no manager has answered for a while, and these are the orders that are kept."""

    orders: protocol.Assign


class Keepsake:
    """An agent's way to its drawer. Without one nothing is kept."""

    def __init__(self, drawer: Drawer | None) -> None:
        self._drawer = drawer
        self.problem = ""

    def recall(self, ctx: Context) -> None:
        """Have `Recalled` sent to the agent after a while, unless `keep` is called before."""
        if self._drawer is not None:
            ctx.spawn("keepsake", self._recall, self._drawer)

    def keep(self, ctx: Context, orders: protocol.Assign) -> None:
        """Save full orders beside the agent's work. Of those that come meanwhile the last ones are saved."""
        if self._drawer is not None:
            ctx.spawn("keepsake", self._save, self._drawer, orders)

    async def _recall(self, drawer: Drawer) -> Recalled | None:
        await anyio.sleep(PATIENCE)
        try:
            orders = await drawer.load()
        except Unkept as error:
            self._fail(error)
            return None
        return Recalled(orders) if orders is not None else None

    async def _save(self, drawer: Drawer, orders: protocol.Assign) -> None:
        try:
            await drawer.save(orders)
            self.problem = ""
        except Unkept as error:
            self._fail(error)

    def _fail(self, error: Unkept) -> None:
        self.problem = str(error)
        log.warning("%s", error)
