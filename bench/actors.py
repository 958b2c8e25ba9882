"""What a message costs: `tell` beside pykka's, `ask` beside xoscar's call in one process, and the floor under each.

`tell` is counted to handled: the clock stops when the receiver has handled the last of a burst. `ask` has a deadline,
and is a round trip at a time. Floors: a deque, an event and a coroutine for each message; two futures of asyncio handed
to and fro.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pykka
import xoscar  # type: ignore[import-untyped]

from bench.figures import Goal, median, report
from supervisor.actor import Actor, Context
from supervisor.ref import Ref
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System

BURST = 100_000
ASKS = 10_000
RUNS = 7
TIMEOUT = 5.0

Measure = Callable[[], Awaitable[float]]


class Counter(Actor):
    """Counts what it is told, and answers what it is asked."""

    mailbox_size = BURST

    def __init__(self) -> None:
        self.left = BURST
        self.done = asyncio.Event()

    async def receive(self, message: object, ctx: Context) -> None:
        self.left -= 1
        if not self.left:
            self.left = BURST
            self.done.set()


class Echo(Actor):
    """Answers with what it was asked."""

    async def receive(self, message: object, ctx: Context) -> None:
        ctx.reply(message)


class PykkaCounter(pykka.ThreadingActor):
    """The same as `Counter`, in pykka."""

    def __init__(self, done: threading.Event) -> None:
        super().__init__()
        self.left = BURST
        self.done = done

    def on_receive(self, message: object) -> None:
        self.left -= 1
        if not self.left:
            self.left = BURST
            self.done.set()


class XoscarEcho(xoscar.StatelessActor):  # type: ignore[misc]
    """The same as `Echo`, in xoscar, without the lock that its other actors take for each call."""

    async def echo(self, message: object) -> object:
        return message


def run() -> None:
    """Measure both in one event loop."""
    asyncio.run(_measure_all())


async def _measure_all() -> None:
    counter = Counter()
    async with _system(counter) as system, _xoscar() as xoscar_echo:
        tells = {"ours": _tell(system.ref("counter"), counter), "pykka": _pykka_tell(), "floor": _floor_tell}
        rates = await _interleave(tells, BURST)
        _report("actors.tell", rates, "pykka", Goal(">=", 5))
        asks = {"ours": _ask(system.ref("echo")), "xoscar": _xoscar_ask(xoscar_echo), "floor": _floor_ask}
        rates = await _interleave(asks, ASKS)
        _report("actors.ask", rates, "xoscar", Goal(">=", 2))
        pykka.ActorRegistry.stop_all()


async def _interleave(contenders: dict[str, Measure], messages: int) -> dict[str, float]:
    """Return each one's median in messages a second. The first turn warms up and does not count."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(RUNS + 1):
        for name, measure in contenders.items():
            seconds = await measure()
            if turn:
                rates[name].append(messages / seconds)
    return {name: median(values) for name, values in rates.items()}


def _report(bench: str, rates: dict[str, float], peer: str, goal: Goal) -> None:
    ratio = rates["ours"] / rates[peer]
    peers = {peer: rates[peer]}
    report(bench, "ratio_to_peer", ratio, "x", goal, ours=rates["ours"], floor=rates["floor"], peers=peers, runs=RUNS)


@asynccontextmanager
async def _system(counter: Counter) -> AsyncIterator[System]:
    system = System("bench")
    children = (ChildSpec("counter", lambda: counter), ChildSpec("echo", Echo))
    async with anyio.create_task_group() as group:
        await group.start(system.run, SupervisorSpec(children=children))
        yield system
        system.stop()


@asynccontextmanager
async def _xoscar() -> AsyncIterator[Any]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    pool = await xoscar.create_actor_pool(address, n_process=0)
    try:
        yield await xoscar.create_actor(XoscarEcho, address=address, uid="echo")
    finally:
        await pool.stop()


def _tell(ref: Ref, counter: Counter) -> Measure:
    async def measure() -> float:
        counter.done.clear()
        begun = time.perf_counter()
        for _ in range(BURST):
            ref.tell("x")
        await counter.done.wait()
        return time.perf_counter() - begun

    return measure


def _pykka_tell() -> Measure:
    done = threading.Event()
    ref = PykkaCounter.start(done)

    async def measure() -> float:
        done.clear()
        begun = time.perf_counter()
        for _ in range(BURST):
            ref.tell("x")
        await asyncio.to_thread(done.wait)
        return time.perf_counter() - begun

    return measure


async def _floor_tell() -> float:
    waiting: deque[str] = deque()
    arrival = asyncio.Event()

    async def handle(message: str) -> None:
        pass

    async def serve() -> None:
        await arrival.wait()
        while waiting:
            await handle(waiting.popleft())

    server = asyncio.create_task(serve())
    begun = time.perf_counter()
    for _ in range(BURST):
        waiting.append("x")
        arrival.set()
    await server
    return time.perf_counter() - begun


def _ask(ref: Ref) -> Measure:
    async def measure() -> float:
        begun = time.perf_counter()
        for _ in range(ASKS):
            await ref.ask("x", timeout=TIMEOUT)
        return time.perf_counter() - begun

    return measure


def _xoscar_ask(ref: Any) -> Measure:
    async def measure() -> float:
        begun = time.perf_counter()
        for _ in range(ASKS):
            await ref.echo("x")
        return time.perf_counter() - begun

    return measure


async def _floor_ask() -> float:
    loop = asyncio.get_running_loop()
    question: asyncio.Future[asyncio.Future[str]] = loop.create_future()

    async def serve() -> None:
        nonlocal question
        for _ in range(ASKS):
            answer = await question
            question = loop.create_future()
            answer.set_result("x")

    server = asyncio.create_task(serve())
    begun = time.perf_counter()
    for _ in range(ASKS):
        answer: asyncio.Future[str] = loop.create_future()
        question.set_result(answer)
        await answer
    await server
    return time.perf_counter() - begun
