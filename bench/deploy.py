"""Thirty replicas on one engine: `gbnt` against docker-compose, and against the engine's own floor."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    with _starts("gbnt.stack=bench") as starts:
        begun = time.time()
        cluster.gbnt("stack", "deploy", "-c", str(file), "bench", "--detach")
        ended = starts.last()
    cluster.gbnt("stack", "rm", "bench", "--yes")
    return ended - begun


def _compose(folder: Path) -> float:
    file = folder / "docker-compose.yml"
    file.write_text('version: "3"\n' + COMPOSE.format(replicas=""))
    base = ["docker-compose", "-p", "benchpeer", "-f", str(file)]
    environment = {**os.environ, "COMPOSE_PARALLEL_LIMIT": "64"}
    with _starts("com.docker.compose.project=benchpeer") as starts:
        begun = time.time()
        subprocess.run([*base, "up", "-d", "--scale", f"web={COUNT}"], check=True, capture_output=True, env=environment)
        ended = starts.last()
    subprocess.run([*base, "down", "-t", "0"], check=True, capture_output=True, env=environment)
    return ended - begun


class _Starts:
    """The starts of containers with a label, by the engine's own clock, as its events tell them.

    To ask for them again and again would take the time from those who are measured.
    """

    def __init__(self, events: subprocess.Popen[str]) -> None:
        self._events = events

    def last(self) -> float:
        """When the last of the containers started, in seconds since the epoch. Waits for it."""
        assert self._events.stdout is not None
        told = [json.loads(next(self._events.stdout)) for _ in range(COUNT)]
        return max(event["timeNano"] for event in told) / 1e9


@contextmanager
def _starts(label: str) -> Iterator[_Starts]:
    # From a moment in the past: `docker events` has no way to say that it listens.
    words = ["--since", f"{time.time():.6f}", "--filter", f"label={label}", "--filter", "event=start"]
    with subprocess.Popen(
        ["docker", "events", *words, "--format", "{{json .}}"], stdout=subprocess.PIPE, text=True
    ) as events:
        try:
            yield _Starts(events)
        finally:
            events.terminate()


if __name__ == "__main__":
    sys.exit(run())
