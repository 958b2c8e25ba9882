"""The floor under a deploy: the same network and containers, made and started by aiodocker alone.

Nothing of gbnt is in here, so what a deploy takes above this figure is gbnt's own doing. Run as a program it does it
once, and removes everything again when its standard input ends:
`python -m bench.deploy_floor COUNT CONCURRENCY NETWORK ENGINE ...`, so many containers on each engine. NETWORK is
`named` for one of their own, with fixed addresses, or `bridge` for the engine's, which is there.
"""

import asyncio
import secrets
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiodocker
import aiohttp

IMAGE = "busybox:latest"
COMMAND = ["sleep", "1000"]
LABEL = "gbnt.bench"
SUBNET = "10.213.77.0/24"


def best_concurrency(count: int, engines: Sequence[str], network: str, degrees: Sequence[int]) -> int:
    """The floor is the engines at their best: whichever concurrency is fastest here and today."""
    asyncio.run(floor(3, 1, network, engines))
    taken = {
        degree: statistics.median(asyncio.run(floor(count, degree, network, engines)) for _ in "12")
        for degree in degrees
    }
    return min(taken, key=lambda degree: taken[degree])


async def floor(count: int, concurrency: int, network: str, engines: Iterable[str]) -> float:
    """Seconds to make a network, and create and start `count` containers on it, at most `concurrency` at a time.

    Each engine does so, all at the same time. Finding them and cleaning up are outside the measure. Everything is
    removed again, also when it fails.
    """
    async with _reached(engines) as dockers:
        began = time.perf_counter()
        async with deployed(dockers, count, concurrency, network):
            return time.perf_counter() - began


@asynccontextmanager
async def deployed(
    dockers: Sequence[aiodocker.Docker], count: int, concurrency: int, network: str
) -> AsyncIterator[None]:
    """The containers run within the context."""
    run = secrets.token_hex(4)
    try:
        async with asyncio.TaskGroup() as tasks:
            for docker in dockers:
                tasks.create_task(_deploy(docker, run, count, concurrency, network))
        yield
    finally:
        await asyncio.gather(*(_clean(docker, run) for docker in dockers))


async def _deploy(docker: aiodocker.Docker, run: str, count: int, concurrency: int, network: str) -> None:
    gate = asyncio.Semaphore(concurrency)

    async def deploy(slot: int) -> None:
        async with gate:
            container = await docker.containers.create(_container(run, slot, network), name=f"floor-{run}-{slot}")
            await container.start()

    if network == "named":
        await docker.networks.create(_network(run))
    async with asyncio.TaskGroup() as tasks:
        for slot in range(count):
            tasks.create_task(deploy(slot))


async def once(count: int, concurrency: int, network: str, engines: Iterable[str]) -> None:
    """Deploy, and clean up when the standard input ends."""
    async with _reached(engines) as dockers, deployed(dockers, count, concurrency, network):
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def _reached(engines: Iterable[str]) -> AsyncIterator[list[aiodocker.Docker]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_engine(url)) for url in engines]


@asynccontextmanager
async def _engine(url: str) -> AsyncIterator[aiodocker.Docker]:
    connector = aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0)
    async with connector, aiodocker.Docker(url="http://docker", connector=connector) as docker:
        await docker.version()
        yield docker


def _network(run: str) -> dict[str, object]:
    ipam = {"Config": [{"Subnet": SUBNET, "Gateway": SUBNET.replace(".0/24", ".1")}]}
    return {"Name": f"floor-{run}", "Driver": "bridge", "IPAM": ipam, "Labels": {LABEL: run}}


def _container(run: str, slot: int, network: str) -> dict[str, object]:
    config: dict[str, object] = {
        "Image": IMAGE,
        "Cmd": COMMAND,
        "Labels": {LABEL: run},
        "HostConfig": {
            "NetworkMode": f"floor-{run}" if network == "named" else network,
            "RestartPolicy": {"Name": "no"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        },
    }
    if network == "named":
        address = SUBNET.replace(".0/24", f".{slot + 2}")
        config["NetworkingConfig"] = {"EndpointsConfig": {f"floor-{run}": {"IPAMConfig": {"IPv4Address": address}}}}
    return config


async def _clean(docker: aiodocker.Docker, run: str) -> None:
    mine = {"label": [f"{LABEL}={run}"]}
    containers = await docker.containers.list(all=True, filters=mine)
    await asyncio.gather(*(container.delete(force=True, v=True) for container in containers))
    for network in await docker.networks.list(filters=mine):
        await (await docker.networks.get(network["Id"])).delete()


if __name__ == "__main__":
    asyncio.run(once(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
