"""Thirty replicas on one engine: `gbnt` against docker-compose, and against the engine's own floor."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.deploy_floor import floor
from bench.figures import Goal, median, report
from bench.manager import Manager, manager

COUNT = 30
RUNS = 5
CONCURRENCIES = (1, 2, 4, 6, 8, 12, 16, 30)

COMPOSE = """\
services:
  web:
    image: busybox:latest
    command: ["sleep", "1000"]
    stop_grace_period: 0s
{replicas}
"""


def run() -> None:
    """Interleaved, so that a slow minute of the machine is slow for all."""
    degree = _best_degree()
    ours, peer, floors = [], [], []
    with manager() as cluster, tempfile.TemporaryDirectory() as folder:
        for turn in range(RUNS + 1):
            times = (asyncio.run(floor(COUNT, degree)), _deploy(cluster, Path(folder)), _compose(Path(folder)))
            if turn:
                for kept, seconds in zip((floors, ours, peer), times, strict=True):
                    kept.append(seconds)
    middle = {"floor": median(floors), "ours": median(ours), "peers": {"docker-compose": median(peer)}}
    ratios = [mine / least for mine, least in zip(ours, floors, strict=True)]
    report("deploy.one_engine", "ratio_to_floor", median(ratios), "x", Goal("<=", 1.10), runs=RUNS, **middle)
    ahead = [mine / theirs for mine, theirs in zip(ours, peer, strict=True)]
    report("deploy.one_engine", "ratio_to_compose", median(ahead), "x", Goal("<=", 1.0), runs=RUNS, **middle)


def _best_degree() -> int:
    """The floor is the engine at its best: whichever concurrency is fastest here and today."""
    asyncio.run(floor(3, 1))
    taken = {degree: median([asyncio.run(floor(COUNT, degree)) for _ in range(2)]) for degree in CONCURRENCIES}
    return min(taken, key=lambda degree: taken[degree])


def _deploy(cluster: Manager, folder: Path) -> float:
    """From the request to thirty running containers, as the engine says; the stack is removed again."""
    file = folder / "gbnt.yaml"
    file.write_text(COMPOSE.format(replicas=f"    deploy: {{replicas: {COUNT}}}"))
    begun = time.time()
    cluster.gbnt("stack", "deploy", "-c", str(file), "bench", "--detach")
    ended = _last_start("gbnt.stack=bench", COUNT)
    cluster.gbnt("stack", "rm", "bench", "--yes")
    return ended - begun


def _compose(folder: Path) -> float:
    file = folder / "docker-compose.yml"
    file.write_text('version: "3"\n' + COMPOSE.format(replicas=""))
    base = ["docker-compose", "-p", "benchpeer", "-f", str(file)]
    environment = {**os.environ, "COMPOSE_PARALLEL_LIMIT": "64"}
    begun = time.time()
    subprocess.run([*base, "up", "-d", "--scale", f"web={COUNT}"], check=True, capture_output=True, env=environment)
    ended = _last_start("com.docker.compose.project=benchpeer", COUNT)
    subprocess.run([*base, "down", "-t", "0"], check=True, capture_output=True, env=environment)
    return ended - begun


def _last_start(label: str, count: int) -> float:
    """When the last of `count` containers started, in seconds since the epoch, by the engine's own clock."""
    while True:
        listed = subprocess.run(
            ["docker", "ps", "-q", "--filter", f"label={label}"], check=True, capture_output=True, text=True
        )
        ids = listed.stdout.split()
        if len(ids) == count:
            break
        time.sleep(0.1)
    inspected = subprocess.run(["docker", "inspect", *ids], check=True, capture_output=True, text=True)
    return max(_epoch(info["State"]["StartedAt"]) for info in json.loads(inspected.stdout))


def _epoch(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text[:26] + "+00:00").timestamp()


if __name__ == "__main__":
    sys.exit(run())
