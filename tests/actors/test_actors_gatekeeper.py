"""A manager has a link to each member, and to nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from actors import protocol
from actors.gatekeeper import LINKS, Gatekeeper
from cluster.model import Node, State
from supervisor.actor import Actor, Context
from supervisor.spec import ChildSpec, SupervisorSpec, dynamic
from supervisor.system import System
from tests.actors.house import time_of_day

pytestmark = pytest.mark.anyio


class Quiet(Actor):
    """A link that does nothing."""

    async def receive(self, message: object, ctx: Context) -> None:
        pass


class Phones:
    """Remembers what was done with the links."""

    def __init__(self) -> None:
        self.linked: set[str] = set()
        self.outdated: set[str] = set()
        self.did: list[str] = []
        self.state = State()

    def know(self, state: State) -> None:
        self.state = state

    def link(self, node: str) -> ChildSpec:
        self.linked.add(node)
        self.did.append(f"link {node}")
        return ChildSpec(node, Quiet)

    def hang_up(self, node: str) -> None:
        self.did.append(f"hang up {node}")

    def forget(self, node: str) -> None:
        self.linked.discard(node)
        self.did.append(f"forget {node}")


class Senate(Actor):
    """Tells its followers each state that it is told."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.followers: list[str] = []

    async def receive(self, message: object, ctx: Context) -> None:
        match message:
            case protocol.Follow(follower):
                self.followers.append(follower.partition("/")[2])
            case State():
                self.state = message
        for follower in self.followers:
            ctx.ref(follower).tell(protocol.Committed(self.state))


def member(id: str) -> Node:
    return Node(id, f"name-{id}", "worker", "ready", "ready", "192.0.2.1", 0.0)


def members(*nodes: Node) -> State:
    return State(nodes={node.id: node for node in nodes})


@asynccontextmanager
async def manager(phones: Phones, state: State) -> AsyncIterator[System]:
    system = System("n1", clock=time_of_day)
    children = (
        ChildSpec(LINKS, dynamic()),
        ChildSpec("senate", lambda: Senate(state)),
        ChildSpec("gatekeeper", lambda: Gatekeeper("n1", phones)),
    )
    async with anyio.create_task_group() as group:
        await group.start(system.run, SupervisorSpec(children=children))
        await anyio.sleep(0.1)
        yield system
        system.stop()


async def tell(system: System, state: State) -> None:
    system.ref("senate").tell(state)
    await anyio.sleep(0.1)


async def test_links_follow_the_members():
    phones = Phones()
    async with manager(phones, members(member("n1"), member("n2"))) as system:
        assert phones.did == ["link n2"]
        await tell(system, members(member("n1"), member("n2"), member("n3")))
        await tell(system, members(member("n1"), member("n3")))
        assert phones.did == ["link n2", "link n3", "forget n2"]
        assert {info.address.path for info in system.inspect(LINKS)} == {LINKS, f"{LINKS}/n3"}


async def test_who_has_another_role_comes_in_anew():
    phones = Phones()
    two = member("n2")
    async with manager(phones, members(two, member("n3"))) as system:
        phones.did.clear()
        await tell(system, members(replace(two, message="well"), member("n3")))
        assert phones.did == []
        await tell(system, members(replace(two, role="manager"), member("n3")))
        assert phones.did == ["hang up n2"]


async def test_who_got_the_certificate_of_its_role_comes_in_with_that():
    phones = Phones()
    two = member("n2")
    async with manager(phones, members(two)) as system:
        phones.did.clear()
        await tell(system, members(replace(two, certificate="a1")))
        phones.outdated.add("n2")
        await tell(system, members(replace(two, certificate="b2")))
        assert phones.did == ["hang up n2"]


async def test_a_link_that_is_not_there_is_made_again():
    phones = Phones()
    async with manager(phones, members(member("n2"))) as system:
        await system.stop_child(f"{LINKS}/n2")
        await anyio.sleep(6)
        assert phones.did == ["link n2", "link n2"]
        assert f"{LINKS}/n2" in {info.address.path for info in system.inspect(LINKS)}
