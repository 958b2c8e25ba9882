"""The floor under a deploy: the same network and containers, made and started by aiodocker alone.

Nothing of gbnt is in here, so what a deploy takes above this figure is gbnt's own doing. Run as a program it does it
once, and removes everything again when its standard input ends: `python -m bench.deploy_floor COUNT CONCURRENCY`.
"""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiodocker
import aiohttp

IMAGE = "busybox:latest"
COMMAND = ["sleep", "1000"]
LABEL = "gbnt.bench"
SUBNET = "10.213.77.0/24"


async def floor(count: int, concurrency: int) -> float:
    """Seconds to make a network, and create and start `count` containers on it, at most `concurrency` at a time.

    Finding the engine and cleaning up are outside the measure. Everything is removed again, also when it fails.
    """
    async with _engine() as docker:
        began = time.perf_counter()
        async with deployed(docker, count, concurrency):
            return time.perf_counter() - began


@asynccontextmanager
async def deployed(docker: aiodocker.Docker, count: int, concurrency: int) -> AsyncIterator[None]:
    """The containers run within the context."""
    run, gate = secrets.token_hex(4), asyncio.Semaphore(concurrency)

    async def deploy(slot: int) -> None:
        async with gate:
            container = await docker.containers.create(_container(run, slot), name=f"floor-{run}-{slot}")
            await container.start()

    network = await docker.networks.create(_network(run))
    try:
        async with asyncio.TaskGroup() as tasks:
            for slot in range(count):
                tasks.create_task(deploy(slot))
        yield
    finally:
        await _clean(docker, run)
        await network.delete()


async def once(count: int, concurrency: int) -> None:
    """Deploy, and clean up when the standard input ends."""
    async with _engine() as docker, deployed(docker, count, concurrency):
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def _engine() -> AsyncIterator[aiodocker.Docker]:
    connector = aiohttp.UnixConnector("/var/run/docker.sock", limit=0)
    async with connector, aiodocker.Docker(url="http://docker", connector=connector) as docker:
        await docker.version()
        yield docker


def _network(run: str) -> dict[str, object]:
    ipam = {"Config": [{"Subnet": SUBNET, "Gateway": SUBNET.replace(".0/24", ".1")}]}
    return {"Name": f"floor-{run}", "Driver": "bridge", "IPAM": ipam, "Labels": {LABEL: run}}


def _container(run: str, slot: int) -> dict[str, object]:
    address = SUBNET.replace(".0/24", f".{slot + 2}")
    return {
        "Image": IMAGE,
        "Cmd": COMMAND,
        "Labels": {LABEL: run},
        "HostConfig": {
            "NetworkMode": f"floor-{run}",
            "RestartPolicy": {"Name": "no"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        },
        "NetworkingConfig": {"EndpointsConfig": {f"floor-{run}": {"IPAMConfig": {"IPv4Address": address}}}},
    }


async def _clean(docker: aiodocker.Docker, run: str) -> None:
    containers = await docker.containers.list(all=True, filters={"label": [f"{LABEL}={run}"]})
    await asyncio.gather(*(container.delete(force=True, v=True) for container in containers))


if __name__ == "__main__":
    asyncio.run(once(int(sys.argv[1]), int(sys.argv[2])))
