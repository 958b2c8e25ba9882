"""Messages a second between two processes over HTTP/2 with mutual TLS, beside one request for each over the same parts.

The worker dials the manager, as nodes do. A message is a registered one of three fields, encoded, sent, decoded and
handled by an actor over there; the clock stops when the last one is handled. While that goes on the manager asks an
actor of the worker now and then.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx

from bench.certificates import client_tls, issue, server_tls
from bench.figures import Goal, median, report
from supervisor.actor import Actor, Context
from supervisor.address import Address
from supervisor.message import message
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from transport.channel import Peer, Refusal
from transport.dialer import http2_dialer
from transport.events import PeerEvent, PeerUp
from transport.hello import Local
from transport.listener import Listener, serve
from transport.router import LinkRouter

BURST = 100_000
REQUESTS = 2_000
AT_ONCE = 32
RUNS = 5
ASK_EVERY = 0.005
PATIENCE = 120.0
TOKEN = "gbnt-token"


@message("bench.reading/1")
@dataclass(frozen=True, slots=True)
class Reading:
    """What the worker tells."""

    node: str
    number: int
    value: float


class Counter(Actor):
    """Counts what it is told."""

    mailbox_size = BURST

    def __init__(self) -> None:
        self.left = BURST
        self.done = anyio.Event()

    async def receive(self, message: object, ctx: Context) -> None:
        self.left -= 1
        if not self.left:
            self.left = BURST
            self.done.set()


class Echo(Actor):
    """Answers with what it was asked."""

    async def receive(self, message: object, ctx: Context) -> None:
        ctx.reply(message)


class Source(Actor):
    """In the worker: told `burst`, tells the manager's counter as much as it can; asked `requests`, posts as many."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def receive(self, message: object, ctx: Context) -> None:
        if message == "burst":
            ctx.spawn("burst", self._burst, ctx)
        else:
            ctx.spawn("requests", self._requests, ctx.reply_to)

    async def _burst(self, ctx: Context) -> None:
        counter = ctx.ref(Address("manager", "counter"))
        for number in range(BURST):
            await counter.offer(Reading("worker", number, 0.5))

    async def _requests(self, reply_to: Any) -> None:
        body = b'{"node":"worker","number":1,"value":0.5}'
        left = REQUESTS

        async def post() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                (await self._client.post("/message", content=body)).raise_for_status()

        begun = time.perf_counter()
        async with anyio.create_task_group() as group:
            for _ in range(AT_ONCE):
                group.start_soon(post)
        reply_to.send(time.perf_counter() - begun)


def run() -> None:
    """Measure in this process and a second one."""
    with tempfile.TemporaryDirectory(prefix="gbnt-bench-") as name:
        issue(Path(name), ("manager", "worker"))
        asyncio.run(_manage(Path(name)))


async def _manage(folder: Path) -> None:
    counter, up = Counter(), anyio.Event()

    def heard(event: PeerEvent) -> None:
        if isinstance(event, PeerUp):
            up.set()

    async with _node("manager", heard, ChildSpec("counter", lambda: counter)) as (system, router):
        links, plain = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        ports = [str(each.getsockname()[1]) for each in (links, plain)]
        async with anyio.create_task_group() as group:
            await system.start_child("links", router.link("worker"))
            group.start_soon(serve, Listener(_authenticate, router.accept), links, server_tls(folder, "manager"))
            group.start_soon(serve, _Plain(), plain, server_tls(folder, "manager"))
            async with await anyio.open_process(
                [sys.executable, "-m", "bench.transport", str(folder), *ports], stdout=None, stderr=None
            ) as child:
                await up.wait()
                await _measure(system, counter)
                child.terminate()
            group.cancel_scope.cancel()


async def _measure(system: System, counter: Counter) -> None:
    source = system.ref(Address("worker", "source"))
    streamed: list[float] = []
    requests: list[float] = []
    asks: list[float] = []
    for turn in range(RUNS + 1):
        latencies: list[float] = []
        rate = await _burst(system, counter, latencies)
        seconds = await source.ask("requests", timeout=PATIENCE)
        assert isinstance(seconds, float)
        if turn:  # the first one warms up
            streamed.append(rate)
            requests.append(REQUESTS / seconds)
            asks += latencies
    ours, peer = median(streamed), median(requests)
    peers = {"request_each": peer}
    report("transport.tell", "messages", ours, "1/s", Goal(">=", 100_000), ours=ours, peers=peers, runs=RUNS)
    report("transport.tell", "ratio_to_peer", ours / peer, "x", Goal(">=", 20), ours=ours, peers=peers, runs=RUNS)
    percentiles = statistics.quantiles(asks, n=100)
    for figure, value in (("p50", percentiles[49]), ("p99", percentiles[98])):
        report("transport.ask_under_load", figure, value * 1000, "ms", ours=value * 1000, runs=len(asks))


async def _burst(system: System, counter: Counter, latencies: list[float]) -> float:
    counter.done = anyio.Event()
    begun = time.perf_counter()
    async with anyio.create_task_group() as group:
        group.start_soon(_ask_on, system, latencies)
        system.ref(Address("worker", "source")).tell("burst")
        await counter.done.wait()
        taken = time.perf_counter() - begun
        group.cancel_scope.cancel()
    return BURST / taken


async def _ask_on(system: System, latencies: list[float]) -> None:
    echo = system.ref(Address("worker", "echo"))
    while True:
        begun = time.perf_counter()
        await echo.ask("x", timeout=PATIENCE)
        latencies.append(time.perf_counter() - begun)
        await anyio.sleep(ASK_EVERY)


@asynccontextmanager
async def _node(name: str, heard: Any, *children: ChildSpec) -> AsyncIterator[tuple[System, LinkRouter]]:
    router = LinkRouter(Local(name, "boot", "bench"), subscriber=heard)
    system = System(name, router=router)
    router.bind(system)
    links = ChildSpec("links", SupervisorSpec(intensity=10))
    async with anyio.create_task_group() as group:
        await group.start(system.run, SupervisorSpec(children=(*children, links)))
        yield system, router
        system.stop()


def _authenticate(headers: Mapping[str, str]) -> Peer | Refusal:
    return Peer(headers[TOKEN]) if TOKEN in headers else Refusal("no token", "no token")


class _Plain(Listener):
    """Answers every request at once, like the one-request-per-message link that ours is not."""

    def __init__(self) -> None:
        pass

    def close(self) -> None:
        pass

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def _work(folder: Path, links: str, plain: str) -> None:
    tls = client_tls(folder, "worker")
    dial = http2_dialer("manager", f"https://127.0.0.1:{links}", tls, lambda: {TOKEN: "worker"})
    url = f"https://127.0.0.1:{plain}"
    async with httpx.AsyncClient(http1=False, http2=True, verify=tls, base_url=url, timeout=60) as client:
        children = (ChildSpec("source", lambda: Source(client)), ChildSpec("echo", Echo))
        async with _node("worker", lambda event: None, *children) as (system, router):
            await system.start_child("links", router.link("manager", dial))
            await anyio.sleep_forever()


if __name__ == "__main__":
    asyncio.run(_work(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
