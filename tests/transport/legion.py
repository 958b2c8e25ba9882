"""Nodes in one event loop on a network in memory: what the tests of link and router share."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import anyio

from supervisor.address import Address
from supervisor.ref import Ref
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from transport.events import PeerEvent
from transport.hello import Local
from transport.memory import MemoryNetwork
from transport.router import LinkRouter


class Node:
    """One running node."""

    def __init__(self, name: str, boot: str, network: MemoryNetwork, **options: Any) -> None:
        local = options.pop("local", Local(name, boot, "legion"))
        self.network = network
        self.events: list[PeerEvent] = []
        self.followers: list[Callable[[PeerEvent], None]] = [self.events.append]
        self.router = LinkRouter(local, subscriber=self._heard, random=Random(name), **options)
        self.system = System(name, router=self.router)
        self.router.bind(self.system)

    @property
    def name(self) -> str:
        return self.system.node

    def _heard(self, event: PeerEvent) -> None:
        for follower in self.followers:
            follower(event)

    def said(self, kind: type) -> list[PeerEvent]:
        """The events of that kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def ref(self, address: str) -> Ref:
        """A ref to an actor of any node."""
        return self.system.ref(Address.parse(address))

    async def link(self, peer: str, *, dials: bool) -> None:
        """Keep a link to that peer."""
        dial = self.network.dialer(self.name, peer) if dials else None
        await self.system.start_child("links", self.router.link(peer, dial))

    def lost(self) -> list[tuple[str, str]]:
        """Reason and address of each dead letter."""
        return [(letter.reason.value, str(letter.address)) for letter in self.system.dead_letters.statistics().recent]


@asynccontextmanager
async def node(
    network: MemoryNetwork, name: str, *children: ChildSpec, boot: str = "b1", **options: Any
) -> AsyncIterator[Node]:
    """A running node with these actors. It goes without a word: as where its process is killed."""
    one = Node(name, boot, network, **options)
    links = ChildSpec("links", SupervisorSpec(intensity=100))
    async with anyio.create_task_group() as group:
        await group.start(one.system.run, SupervisorSpec(children=(*children, links), intensity=100))
        network.listen(name, one.router.accept)
        yield one
        network.hang_up(name)
        one.system.stop()


@asynccontextmanager
async def pair(
    network: MemoryNetwork, ours: tuple[ChildSpec, ...] = (), theirs: tuple[ChildSpec, ...] = (), **options: Any
) -> AsyncIterator[tuple[Node, Node]]:
    """A manager, rome-1, and a worker, rome-2, which dials it; connected."""
    async with (
        network,
        node(network, "rome-1", *ours, **options) as one,
        node(network, "rome-2", *theirs, **options) as two,
    ):
        await one.link("rome-2", dials=False)
        await two.link("rome-1", dials=True)
        await anyio.sleep(0.1)
        yield one, two
