"""The contract of channels: on the network in memory, in virtual time, and over HTTP/2 on real sockets."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import anyio
import httpx
import pytest

from tests.contract.channel_contract import CONTRACT, read
from tests.sim.scheduling import virtual_backend
from transport import listener
from transport.channel import Channel, ChannelClosed, Dial, Dismissed, Peer, Refusal
from transport.dialer import DOWN, SESSION, UP, http2_dialer
from transport.listener import Listener, serve
from transport.memory import MemoryNetwork

pytestmark = pytest.mark.anyio

Rule = Callable[[Channel, Channel], Awaitable[None]]


class Guest:
    """Accepts one channel, and shows it."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self.came = anyio.Event()
        self.done = anyio.Event()

    async def accept(self, channel: Channel) -> None:
        self.channel = channel
        self.came.set()
        await self.done.wait()


@asynccontextmanager
async def connected(dial: Dial, guest: Guest) -> AsyncIterator[tuple[Channel, Channel]]:
    async with dial() as here:
        await guest.came.wait()
        assert guest.channel is not None
        yield here, guest.channel
        guest.done.set()


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize(
    "anyio_backend", [virtual_backend("asyncio"), virtual_backend("trio")], ids=["asyncio", "trio"]
)
async def test_in_memory(rule: Rule):
    guest = Guest()
    async with MemoryNetwork() as network:
        network.listen("rome-1", guest.accept)
        async with connected(network.dialer("rome-2", "rome-1"), guest) as (here, there):
            await rule(here, there)


def authenticate(headers: Mapping[str, str]) -> Peer | Refusal:
    match headers.get("gbnt-token", ""):
        case "rome-0":
            return Refusal("rome-0 was removed", "this node was removed", dismissed=True)
        case "rome-3":
            return Peer("rome-3", lasts=0.5)
        case node if node.startswith("rome-"):
            return Peer(node)
    return Refusal("a token of nobody's", "this token is nobody's: join again")


@asynccontextmanager
async def serving(guest: Guest) -> AsyncIterator[str]:
    sock = socket.create_server(("127.0.0.1", 0))
    async with anyio.create_task_group() as group:
        group.start_soon(serve, Listener(authenticate, guest.accept), sock, None)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        guest.done.set()
        group.cancel_scope.cancel()


def dialer(url: str, token: str = "rome-2") -> Dial:
    return http2_dialer("rome-1", url, None, lambda: {"gbnt-token": token})


real = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


@real
@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
async def test_over_http2(rule: Rule, anyio_backend: Any):
    guest = Guest()
    async with serving(guest) as url, connected(dialer(url), guest) as (here, there):
        await rule(here, there)


@real
async def test_the_last_words_of_who_is_cancelled_arrive():
    guest = Guest()

    async def talk(dial: Dial) -> None:
        async with dial() as channel:
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await channel.send(b"vale")

    async with serving(guest) as url:
        async with anyio.create_task_group() as group:
            group.start_soon(talk, dialer(url))
            await guest.came.wait()
            group.cancel_scope.cancel()
        assert guest.channel is not None
        with anyio.fail_after(20):
            assert await read(guest.channel, 4) == b"vale"


@real
async def test_who_is_not_known_is_refused_in_words():
    async with serving(Guest()) as url:
        with pytest.raises(ChannelClosed, match=r"refused the connection .403.: this token is nobody's"):
            async with dialer(url, "stranger")():
                pass


@real
async def test_who_was_removed_is_told_so():
    async with serving(Guest()) as url:
        with pytest.raises(Dismissed, match="rome-1 says: this node was removed"):
            async with dialer(url, "rome-0")():
                pass


@real
async def test_a_channel_ends_with_what_its_peer_proved_itself_by():
    guest = Guest()
    async with serving(guest) as url, connected(dialer(url, "rome-3"), guest) as (here, there):
        await here.send(b"salve")
        assert await there.receive() == b"salve"
        with anyio.fail_after(20), pytest.raises(ChannelClosed):
            await here.receive()
        with pytest.raises(ChannelClosed, match="the certificate of rome-3 has ended"):
            await there.receive()


@real
async def test_each_request_proves_anew_who_asks():
    asked: list[str] = []

    def once(headers: Mapping[str, str]) -> Peer | Refusal:
        proof = headers["gbnt-token"]
        if proof in asked:
            return Refusal("used before", "used before")
        asked.append(proof)
        return Peer("rome-2")

    guest, sock, numbers = Guest(), socket.create_server(("127.0.0.1", 0)), count()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    dial = http2_dialer("rome-1", url, None, lambda: {"gbnt-token": str(next(numbers))})
    async with anyio.create_task_group() as group:
        group.start_soon(serve, Listener(once, guest.accept), sock, None)
        async with connected(dial, guest) as (here, there):
            await here.send(b"up")
            assert await there.receive() == b"up"
        guest.done.set()
        group.cancel_scope.cancel()
    assert len(asked) == 2


@real
async def test_nobody_there_is_said():
    with pytest.raises(ChannelClosed, match=r"127.0.0.1:1 cannot be reached"):
        async with dialer("http://127.0.0.1:1")():
            pass


@real
async def test_a_server_that_stops_closes_its_channels():
    guest = Guest()
    async with anyio.create_task_group() as group, serving(guest) as url:
        dial = dialer(url)
        opened = anyio.Event()

        async def hold() -> None:
            async with dial() as channel:
                opened.set()
                with pytest.raises(ChannelClosed):
                    await channel.receive()

        group.start_soon(hold)
        await opened.wait()


@real
async def test_no_other_may_open_the_second_stream():
    guest = Guest()
    async with serving(guest) as url, httpx.AsyncClient(http1=False, http2=True, base_url=url) as client:
        session = {SESSION: "s", "gbnt-token": "rome-2"}
        async with client.stream("GET", DOWN, headers=session) as down:
            assert down.status_code == 200
            other = await client.post(UP, headers={**session, "gbnt-token": "rome-3"})
            assert (other.status_code, other.text[:34]) == (403, "the session 's' was not opened by ")
            again = await client.get(DOWN, headers=session)
            assert again.status_code == 403
        assert (await client.get("/", headers=session)).status_code == 404
        assert not guest.came.is_set()


@real
async def test_connections_are_prepared(monkeypatch):
    """The place where hypercorn keeps its connection is its own: this notices when it moves."""
    seen: list[Any] = []
    original = listener.prepare

    def spy(send: Any) -> None:
        original(send)
        seen.append(send.__self__.send.__self__)

    monkeypatch.setattr(listener, "prepare", spy)
    guest = Guest()
    async with serving(guest) as url, connected(dialer(url), guest):
        assert seen[0].connection.inbound_flow_control_window > listener.WINDOW
        assert isinstance(seen[0].streams, listener.Streams)


@real
async def test_a_peer_that_sends_after_its_answer_breaks_nothing():
    async def much() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000
            await anyio.sleep(0.001)

    async with serving(Guest()) as url:
        for path, headers in (("/", {}), (UP, {}), (UP, {"gbnt-token": "rome-2", SESSION: "s"})):
            async with httpx.AsyncClient(http1=False, http2=True, base_url=url) as client:
                try:
                    answer = await client.post(path, headers=headers, content=much())
                except httpx.HTTPError:
                    continue
                assert answer.status_code in (403, 404)
        with pytest.raises(ChannelClosed, match="nobody"):
            async with dialer(url, "stranger")():
                pass
