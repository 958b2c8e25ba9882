"""From a first crash to running again: gbnt against the least that anyone can do, who hears `die`, creates and starts.

The floor does by aiodocker alone what gbnt must do: a new container on the same network, because the old one is kept
for its log.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import time

import aiodocker
import aiohttp

from bench.deploy import COMPOSE
from bench.deploy_floor import COMMAND, IMAGE, LABEL
from bench.figures import Goal, median, report
from bench.manager import Manager, manager

RUNS = 7


def run() -> None:
    """Interleaved, each time with a fresh task: a second crash in a row would be backed off from."""
    ours, floors = [], []
    with manager() as cluster:
        file = cluster.folder / "compose.yaml"
        file.write_text(COMPOSE.format(replicas=""))
        for turn in range(RUNS + 1):
            cluster.gbnt("stack", "deploy", "-c", str(file), "bench")
            times = (asyncio.run(_floor()), _ours(cluster))
            cluster.gbnt("stack", "rm", "bench", "--yes")
            if turn:
                floors.append(times[0])
                ours.append(times[1])
    above = median([mine - least for mine, least in zip(ours, floors, strict=True)])
    report(
        "crash.restart", "above_floor", above, "s", Goal("<=", 0.1), ours=median(ours), floor=median(floors), runs=RUNS
    )


def _ours(cluster: Manager) -> float:
    with subprocess.Popen(
        ["docker", "events", "--filter", "label=gbnt.stack=bench", "--format", "{{json .}}"], stdout=subprocess.PIPE
    ) as events:
        assert events.stdout is not None
        time.sleep(0.3)  # docker events has no way to say that it listens
        (task,) = cluster.rows("stack", "ps", "bench")
        subprocess.run(["docker", "kill", str(task["container_id"])], check=True, capture_output=True)
        died = 0.0
        for line in events.stdout:
            event = json.loads(line)
            if event["Action"] == "die":
                died = event["timeNano"] / 1e9
            elif event["Action"] == "start" and died:
                events.terminate()
                return float(event["timeNano"] / 1e9 - died)
    raise RuntimeError("the engine's events ended")


async def _floor() -> float:
    run_id = secrets.token_hex(4)
    connector = aiohttp.UnixConnector("/var/run/docker.sock", limit=0)
    async with connector, aiodocker.Docker(url="http://docker", connector=connector) as docker:
        network = await docker.networks.create({"Name": f"crash-{run_id}", "Driver": "bridge"})
        config = {
            "Image": IMAGE,
            "Cmd": COMMAND,
            "Labels": {LABEL: run_id},
            "HostConfig": {"NetworkMode": f"crash-{run_id}"},
        }
        first = await docker.containers.create(config, name=f"crash-{run_id}-1")
        await first.start()
        subscriber = docker.events.subscribe()
        await asyncio.sleep(0.3)
        try:
            await first.kill()
            died = started = 0.0
            while not started:
                event = await asyncio.wait_for(subscriber.get(), 30)
                if event.get("Actor", {}).get("Attributes", {}).get(LABEL) != run_id:
                    continue
                if event["Action"] == "die":
                    died = event["timeNano"] / 1e9
                    second = await docker.containers.create(config, name=f"crash-{run_id}-2")
                    await second.start()
                elif event["Action"] == "start" and died:
                    started = event["timeNano"] / 1e9
            return started - died
        finally:
            for container in await docker.containers.list(all=True, filters={"label": [f"{LABEL}={run_id}"]}):
                await container.delete(force=True, v=True)
            await network.delete()
