"""The contract of conduits: on the network in memory, in virtual time, and over HTTP/2 on real sockets."""

import os
import socket
from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from tests.contract.conduit_contract import CONTRACT, Pair, Rule, no_links
from tests.sim.scheduling import virtual_backend
from transport import conduits
from transport.channel import Channel, ChannelClosed, Peer, Refusal
from transport.conduits import Conduits
from transport.dialer import http2_dialer
from transport.listener import Listener, serve
from transport.memory import MemoryNetwork

pytestmark = pytest.mark.anyio

virtual = pytest.mark.parametrize(
    "anyio_backend", [virtual_backend("asyncio"), virtual_backend("trio")], ids=["asyncio", "trio"]
)
real = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
each_rule = pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)


@virtual
@each_rule
async def test_in_memory(rule: Rule):
    async with MemoryNetwork() as network:
        pair = Pair(lambda conduit: network.dialer("rome-2", "rome-1", conduit))
        network.listen("rome-1", pair.ours.accept)
        await rule(pair)


def authenticate(headers: Mapping[str, str]) -> Peer | Refusal:
    return Peer(headers["gbnt-token"])


class Served:
    """A pair over HTTP/2 on loopback, in a task group of its own."""

    def __init__(self) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{self._sock.getsockname()[1]}"
        headers = {"gbnt-token": "rome-2"}
        self.pair = Pair(lambda conduit: http2_dialer("rome-1", url, None, lambda: headers, conduit=conduit))
        self._group = anyio.create_task_group()

    async def __aenter__(self) -> Pair:
        await self._group.__aenter__()
        self._group.start_soon(serve, Listener(authenticate, self.pair.ours.accept), self._sock, None)
        return self.pair

    async def __aexit__(self, *error: Any) -> bool | None:
        self.stop()
        return await self._group.__aexit__(*error)

    def stop(self) -> None:
        """Stop the server, with all that is under way."""
        self._group.cancel_scope.cancel()


@real
@each_rule
async def test_over_http2(rule: Rule):
    async with Served() as pair:
        await rule(pair)


@real
async def test_a_server_that_stops_ends_its_conduits():
    served = Served()
    async with anyio.create_task_group() as group:
        opened, stopped = anyio.Event(), anyio.Event()

        async def hold() -> None:
            async with served.pair.conduit() as (_, there):
                opened.set()
                await there.gone()
            stopped.set()

        async with served:
            group.start_soon(hold)
            await opened.wait()
        await stopped.wait()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # which gbnt serves by: hypercorn on trio forgets sockets
async def test_a_hundred_conduits_leave_no_descriptor_behind():
    async with Served() as pair:
        async with pair.conduit():
            pass
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(100):
            async with pair.conduit() as (here, there):
                await there.send("x")
                assert await here.receive() == "x"
        with anyio.fail_after(10):
            while len(os.listdir("/proc/self/fd")) > before:
                await anyio.sleep(0.05)


@virtual
async def test_a_line_that_is_cut_ends_both_ends():
    async with MemoryNetwork() as network:
        pair = Pair(lambda conduit: network.dialer("rome-2", "rome-1", conduit))
        network.listen("rome-1", pair.ours.accept)
        async with pair.conduit() as (here, there):
            network.cut("rome-1", "rome-2")
            for end in (here, there):
                with pytest.raises(ChannelClosed, match="cut"):
                    await end.receive()


@virtual
async def test_a_conduit_that_nobody_opens_is_waited_for_no_longer_than_said():
    with Conduits(no_links).expect("rome-2") as expected:
        begun = anyio.current_time()
        with pytest.raises(ChannelClosed, match="rome-2 did not open the stream within 10 s"):
            await expected.conduit()
        assert anyio.current_time() - begun == conduits.OPEN_SECONDS


@virtual
async def test_a_node_that_is_lost_meanwhile_is_waited_for_no_more():
    ours = Conduits(no_links)
    with ours.expect("rome-2") as expected:
        ours.hang_up("rome-2", "rome-2 was removed")
        with pytest.raises(ChannelClosed, match="rome-2 was removed"):
            await expected.conduit()


@virtual
async def test_what_names_no_conduit_is_a_link():
    links: list[Channel] = []

    async def accept(channel: Channel) -> None:
        links.append(channel)

    async with MemoryNetwork() as network:
        network.listen("rome-1", Conduits(accept).accept)
        async with network.dialer("rome-2", "rome-1")() as channel:
            with pytest.raises(ChannelClosed):
                await channel.receive()
    assert [channel.peer.node for channel in links] == ["rome-2"]
