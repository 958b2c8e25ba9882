"""The floor under a deploy: the same containers, created and started by aiodocker alone.

Nothing of gbnt is in here, so what a deploy takes above this figure is gbnt's own doing. Run as a program it tries
several degrees of concurrency and prints one JSON line for each.
"""

import asyncio
import json
import secrets
import statistics
import sys
import time

import aiodocker
import aiohttp

IMAGE = "busybox:latest"
COMMAND = ["sleep", "1000"]
LABEL = "gbnt.bench"
SUBNET = "10.213.77.0/24"


async def floor(count: int, concurrency: int) -> float:
    """Seconds to create and start `count` containers on one network, with at most `concurrency` in hand at a time.

    Network, image and clean-up are outside the measure. Everything is removed again, also when it fails.
    """
    run = secrets.token_hex(4)
    connector = aiohttp.UnixConnector("/var/run/docker.sock", limit=0)
    async with connector, aiodocker.Docker(url="http://docker", connector=connector) as docker:
        await docker.version()
        network = await docker.networks.create(_network(run))
        try:
            return await _timed(docker, run, count, concurrency)
        finally:
            await _clean(docker, run)
            await network.delete()


async def _timed(docker: aiodocker.Docker, run: str, count: int, concurrency: int) -> float:
    gate = asyncio.Semaphore(concurrency)

    async def deploy(slot: int) -> None:
        async with gate:
            container = await docker.containers.create(_container(run, slot), name=f"floor-{run}-{slot}")
            await container.start()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for slot in range(count):
            tasks.create_task(deploy(slot))
    return time.perf_counter() - began


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


async def best(count: int, rounds: int) -> int:
    """Print the median of `rounds` for each degree of concurrency, interleaved; the fastest degree."""
    degrees = [degree for degree in (1, 2, 3, 4, 6, 8, 12, 16, 30) if degree <= count]
    await floor(min(count, 3), 1)
    taken: dict[int, list[float]] = {degree: [] for degree in degrees}
    for _ in range(rounds):
        for degree in degrees:
            taken[degree].append(await floor(count, degree))
    for degree, seconds in taken.items():
        spread = [round(min(seconds), 3), round(max(seconds), 3)]
        print(json.dumps({"concurrency": degree, "median": round(statistics.median(seconds), 3), "spread": spread}))
    return min(degrees, key=lambda degree: statistics.median(taken[degree]))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    print(json.dumps({"best_concurrency": asyncio.run(best(*(given or [30, 3])))}))
