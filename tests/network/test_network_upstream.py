"""Names that are not ours: asked of the machine's own servers, with patience that has an end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from dnslib import QTYPE, RCODE, RR, A, DNSRecord

from network.resolver import upstream
from network.resolver.upstream import Forwarder, Unanswered, Upstreams
from tests.network.conftest import free_port

pytestmark = pytest.mark.anyio

FIRST, SECOND, THIRD = "127.7.9.1", "127.7.9.2", "127.7.9.3"
QUESTION = bytes(DNSRecord.question("example.com").pack())

Behaviour = Callable[[bytes], bytes | None]


@pytest.fixture
def anyio_backend() -> str:
    """The resolver's process runs on asyncio alone."""
    return "asyncio"


def answering(address: str) -> Callable[[bytes], bytes]:
    def behave(packet: bytes) -> bytes:
        reply = DNSRecord.parse(packet).reply()
        reply.add_answer(RR("example.com", QTYPE.A, rdata=A(address)))
        return bytes(reply.pack())

    return behave


def failing(rcode: int) -> Behaviour:
    def behave(packet: bytes) -> bytes:
        reply = DNSRecord.parse(packet).reply()
        reply.header.rcode = rcode
        return bytes(reply.pack())

    return behave


def silent(packet: bytes) -> None:
    """Take the question and say nothing."""


class Server(asyncio.DatagramProtocol):
    """A name server of the outside world, on UDP and TCP, that counts what it is asked."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.asked: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append("udp")
        if (reply := self.behave(data)) is not None:
            self._transport.sendto(reply, addr)  # type: ignore[attr-defined]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        packet = await reader.readexactly(size)
        self.asked.append("tcp")
        if (reply := self.behave(packet)) is not None:
            writer.write(struct.pack("!H", len(reply)) + reply)
        writer.close()


class World:
    """The servers of one test, all on one port, and a forwarder that knows those named in resolv.conf."""

    def __init__(self, resolv_conf: Path, port: int, stack: contextlib.AsyncExitStack) -> None:
        self.resolv_conf = resolv_conf
        self.port = port
        self._stack = stack
        self.own: list[str] = []
        self.upstreams = Upstreams(resolv_conf, lambda: self.own)
        self.forwarder = Forwarder(self.upstreams, port, timeout=0.1)

    def name(self, *servers: str) -> None:
        self.resolv_conf.write_text("search corp.example\n" + "".join(f"nameserver {server}\n" for server in servers))

    async def serve(self, address: str, behave: Behaviour) -> Server:
        server = Server(behave)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: server, (address, self.port))
        self._stack.callback(transport.close)
        streams = await asyncio.start_server(server.serve, address, self.port)
        self._stack.callback(streams.close)
        return server

    async def ask(self, transport: upstream.Transport = "udp") -> DNSRecord:
        reply = await self.forwarder.ask(QUESTION, transport)
        assert reply[:2] == QUESTION[:2]
        return DNSRecord.parse(reply)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with contextlib.AsyncExitStack() as stack:
        yield World(tmp_path / "resolv.conf", free_port(), stack)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_question_goes_out_over_the_transport_it_came_by(world: World, transport: upstream.Transport) -> None:
    server = await world.serve(FIRST, answering("192.0.2.1"))
    world.name(FIRST)
    assert str((await world.ask(transport)).a.rdata) == "192.0.2.1"
    assert server.asked == [transport]


async def test_all_servers_refusing_is_told_at_once(world: World) -> None:
    world.name(FIRST, SECOND)
    with pytest.raises(Unanswered):
        await world.ask()


async def test_the_next_server_is_asked_when_one_is_silent_and_first_from_then_on(world: World) -> None:
    dead = await world.serve(FIRST, silent)
    alive = await world.serve(SECOND, answering("192.0.2.2"))
    world.name(FIRST, SECOND)
    for _ in range(3):
        assert str((await world.ask()).a.rdata) == "192.0.2.2"
    assert (len(dead.asked), len(alive.asked)) == (1, 3)


async def test_a_single_silent_server_is_asked_twice(world: World) -> None:
    server = await world.serve(FIRST, silent)
    world.name(FIRST)
    with pytest.raises(Unanswered):
        await world.ask()
    assert len(server.asked) == upstream.MOST_SILENCES


async def test_patience_ends_however_many_are_silent_and_the_next_question_finds_the_one_that_lives(
    world: World,
) -> None:
    await world.serve(FIRST, silent)
    await world.serve(SECOND, silent)
    await world.serve(THIRD, answering("192.0.2.3"))
    world.name(FIRST, SECOND, THIRD)
    with pytest.raises(Unanswered):
        await world.ask()
    assert str((await world.ask()).a.rdata) == "192.0.2.3"


@pytest.mark.parametrize("rcode", [RCODE.SERVFAIL, RCODE.REFUSED])
async def test_a_failure_is_passed_on_only_when_nobody_does_better(world: World, rcode: int) -> None:
    await world.serve(FIRST, failing(rcode))
    world.name(FIRST)
    assert (await world.ask()).header.rcode == rcode
    await world.serve(SECOND, answering("192.0.2.2"))
    world.name(FIRST, SECOND)
    assert str((await world.ask()).a.rdata) == "192.0.2.2"


async def test_a_name_that_does_not_exist_is_an_answer(world: World) -> None:
    second = await world.serve(SECOND, answering("192.0.2.2"))
    await world.serve(FIRST, failing(RCODE.NXDOMAIN))
    world.name(FIRST, SECOND)
    assert (await world.ask()).header.rcode == RCODE.NXDOMAIN
    assert second.asked == []


async def test_a_forged_reply_is_passed_over(world: World) -> None:
    def forge(packet: bytes) -> bytes:
        return bytes([packet[0] ^ 1]) + answering("192.0.2.66")(packet)[1:]

    await world.serve(FIRST, forge)
    world.name(FIRST)
    with pytest.raises(Unanswered):
        await world.ask()


async def test_a_changed_file_is_read_again(world: World) -> None:
    world.name(FIRST)
    assert world.upstreams.servers() == (FIRST,)
    world.name(SECOND, THIRD, SECOND)
    assert world.upstreams.servers() == (SECOND, THIRD)


async def test_our_own_addresses_are_never_asked(world: World) -> None:
    world.name(FIRST, SECOND)
    world.own.append(FIRST)
    assert world.upstreams.servers() == (SECOND,)


@pytest.mark.parametrize("text", [None, "", "# nameserver 192.0.2.1\noptions ndots:2\nnameserver\n"])
async def test_without_servers_it_is_loopback(world: World, text: str | None) -> None:
    if text is not None:
        world.resolv_conf.write_text(text)
    assert world.upstreams.servers() == ("127.0.0.1",)


async def test_questions_under_way_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "MOST_IN_FLIGHT", 5)
    await world.serve(FIRST, silent)
    world.name(FIRST)
    waiting = [asyncio.create_task(world.ask()) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(Unanswered, match="under way"):
        await world.ask()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unanswered] * 5


async def test_no_socket_stays_open(world: World) -> None:
    await world.serve(FIRST, silent)
    await world.serve(SECOND, answering("192.0.2.2"))
    world.name(FIRST, SECOND)
    await world.ask()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        await world.ask()
    assert len(os.listdir("/proc/self/fd")) == before
