"""Reads of one manager's API at a steady rate, beside a handler on the same parts that does nothing, and the engine's.

Requests are due at even times and are timed from when they were due, so that one that waits for another counts too.
They are made by aiohttp: a client that takes half a core for two hundred requests a second, as httpx does, measures
itself.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from bench.certificates import issue
from bench.deploy import COMPOSE, COUNT
from bench.figures import Goal, median, report
from bench.manager import PROGRAM, Manager, manager

RATE = 200
SECONDS = 10.0
RUNS = 5
COMMANDS = 11
CONNECTIONS = 8
PATIENCE = aiohttp.ClientTimeout(60.0)
LISTS = ("/v1/nodes", "/v1/stacks", "/v1/services", "/v1/tasks", "/v1/events?limit=50")
PATHS = ("/v1/cluster", "/v1/services/bench/web", *LISTS)
ENGINE = "/var/run/docker.sock"

Ask = Callable[[int], Awaitable[None]]


def run() -> None:
    """Reads first, then what a person waits for."""
    with manager() as cluster:
        file = cluster.folder / "compose.yaml"
        file.write_text(COMPOSE.format(replicas=f"    deploy: {{replicas: {COUNT}}}"))
        cluster.gbnt("stack", "deploy", "-c", str(file), "bench")
        asyncio.run(_reads(cluster))
        _commands(cluster)


async def _reads(cluster: Manager) -> None:
    rates: dict[str, list[float]] = {"ours": [], "floor": [], "engine": []}
    late: dict[str, list[float]] = {"ours": [], "floor": [], "engine": []}
    async with _ours(cluster) as ours, _floor(cluster.folder) as floor, _engine() as engine:
        for turn in range(RUNS + 1):
            for name, ask in (("ours", ours), ("floor", floor), ("engine", engine)):
                seconds, taken = await _paced(ask, 1.0 if not turn else SECONDS)
                if turn:  # the first ones warm up
                    rates[name].append(len(taken) / seconds)
                    late[name].append(statistics.quantiles(taken, n=100)[98])
    rate, p99 = median(rates["ours"]), median(late["ours"]) * 1000
    others = {"engine": median(late["engine"]) * 1000}
    floor_rate, floor_ms = median(rates["floor"]), median(late["floor"]) * 1000
    report("api.reads", "sustained", rate, "1/s", Goal(">=", RATE * 0.98), ours=rate, floor=floor_rate, runs=RUNS)
    report("api.reads", "p99", p99, "ms", Goal("<", 50), ours=p99, floor=floor_ms, peers=others, runs=RUNS)


async def _paced(ask: Ask, seconds: float) -> tuple[float, list[float]]:
    """Ask at the rate for so long: how long that took in all, and each one's time from when it was due."""
    begun, taken = time.perf_counter(), list[float]()

    async def one(number: int) -> None:
        due = begun + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await ask(number)
        taken.append(time.perf_counter() - due)

    await asyncio.gather(*(one(number) for number in range(int(seconds * RATE))))
    return time.perf_counter() - begun, taken


@asynccontextmanager
async def _ours(cluster: Manager) -> AsyncIterator[Ask]:
    config: dict[str, Any] = yaml.safe_load((cluster.folder / "config").read_text())
    entry = config["clusters"][0]
    authority = base64.b64decode(entry["certificate-authority-data"]).decode()
    token = config["users"][0]["token"]
    async with _client(entry["server"], ssl.create_default_context(cadata=authority), token) as client:
        yield lambda number: _got(client, PATHS[number % len(PATHS)])


@asynccontextmanager
async def _floor(folder: Path) -> AsyncIterator[Ask]:
    """The same server and connection, and an answer that is there already."""
    issue(folder, ("server",))
    words = [sys.executable, "-m", "bench.floor_server", str(folder)]
    server = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        port = int(await server.stdout.readline())
        tls = ssl.create_default_context(cafile=folder / "ca.pem")
        async with _client(f"https://127.0.0.1:{port}", tls, "none") as client:
            yield lambda number: _got(client, "/")
    finally:
        server.terminate()
        await server.wait()


@asynccontextmanager
async def _engine() -> AsyncIterator[Ask]:
    """What a program asks the engine for that it manages by itself."""
    connector = aiohttp.UnixConnector(ENGINE, limit=CONNECTIONS)
    async with aiohttp.ClientSession("http://docker", connector=connector, timeout=PATIENCE) as client:
        yield lambda number: _got(client, "/containers/json")


def _client(server: str, tls: ssl.SSLContext, token: str) -> aiohttp.ClientSession:
    headers, connector = {"authorization": f"Bearer {token}"}, aiohttp.TCPConnector(limit=CONNECTIONS, ssl=tls)
    return aiohttp.ClientSession(server, headers=headers, connector=connector, timeout=PATIENCE)


async def _got(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path) as response:
        response.raise_for_status()
        await response.read()


def _commands(cluster: Manager) -> None:
    """What a person waits for who asks a manager, cold: a new process each time."""
    commands = {
        "floor": [sys.executable, "-I", "-c", ""],
        "node_ls": [*PROGRAM, "node", "ls"],
        "service_ls": [*PROGRAM, "service", "ls"],
        "docker_ps": ["docker", "ps"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(COMMANDS + 1):
        for name, command in commands.items():
            begun = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=cluster.environment)
            if turn:
                taken[name].append(time.perf_counter() - begun)
    floor, peers = median(taken["floor"]), {"docker ps": median(taken["docker_ps"])}
    for name in ("node_ls", "service_ls"):
        seconds = median(taken[name])
        goal = Goal("<", 0.35)
        report(f"api.{name}", "seconds", seconds, "s", goal, ours=seconds, floor=floor, peers=peers, runs=COMMANDS)
