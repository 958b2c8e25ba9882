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
from typing import NamedTuple

from bench.deploy_floor import LABEL, floor
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


class Taken(NamedTuple):
    """Seconds to the last start: from the start of the command, and from the first container that it made."""

    command: float
    engine: float


def run() -> None:
    """Interleaved, so that a slow minute of the machine is slow for all."""
    degree = _best_degree()
    ours, peer, floors = [], [], []
    with manager() as cluster, tempfile.TemporaryDirectory() as folder:
        for turn in range(RUNS + 1):
            times = (_floor(degree), _deploy(cluster, Path(folder)), _compose(Path(folder)))
            if turn:
                for kept, taken in zip((floors, ours, peer), times, strict=True):
                    kept.append(taken)
    _report("ratio_to_floor", [t.command for t in ours], [t.command for t in floors], peer, 1.10)
    _report("ratio_to_floor_in_the_engine", [t.engine for t in ours], [t.engine for t in floors], peer, 1.10)
    ahead = [mine.command / theirs.command for mine, theirs in zip(ours, peer, strict=True)]
    report("deploy.one_engine", "ratio_to_compose", median(ahead), "x", Goal("<=", 1.0), runs=RUNS)


def _report(figure: str, ours: list[float], floors: list[float], peer: list[Taken], goal: float) -> None:
    ratio = median([mine / least for mine, least in zip(ours, floors, strict=True)])
    compose = median([t.command if figure == "ratio_to_floor" else t.engine for t in peer])
    report(
        "deploy.one_engine",
        figure,
        ratio,
        "x",
        Goal("<=", goal),
        runs=RUNS,
        floor=median(floors),
        ours=median(ours),
        peers={"docker-compose": compose},
    )


def _best_degree() -> int:
    """The floor is the engine at its best: whichever concurrency is fastest here and today."""
    asyncio.run(floor(3, 1))
    taken = {degree: median([asyncio.run(floor(COUNT, degree)) for _ in range(2)]) for degree in CONCURRENCIES}
    return min(taken, key=lambda degree: taken[degree])


def _floor(degree: int) -> Taken:
    """The least program that does the same, started as the others are."""
    with _starts(LABEL) as starts:
        begun = time.time()
        command = [sys.executable, "-m", "bench.deploy_floor", str(COUNT), str(degree)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            taken = starts.since(begun)
            process.communicate()
    return taken


def _deploy(cluster: Manager, folder: Path) -> Taken:
    """From the command to thirty running containers, as the engine says; the stack is removed again."""
    file = folder / "gbnt.yaml"
    file.write_text(COMPOSE.format(replicas=f"    deploy: {{replicas: {COUNT}}}"))
    with _starts("gbnt.stack=bench") as starts:
        begun = time.time()
        cluster.gbnt("stack", "deploy", "-c", str(file), "bench", "--detach")
        taken = starts.since(begun)
    cluster.gbnt("stack", "rm", "bench", "--yes")
    return taken


def _compose(folder: Path) -> Taken:
    file = folder / "docker-compose.yml"
    file.write_text('version: "3"\n' + COMPOSE.format(replicas=""))
    base = ["docker-compose", "-p", "benchpeer", "-f", str(file)]
    environment = {**os.environ, "COMPOSE_PARALLEL_LIMIT": "64"}
    with _starts("com.docker.compose.project=benchpeer") as starts:
        begun = time.time()
        subprocess.run([*base, "up", "-d", "--scale", f"web={COUNT}"], check=True, capture_output=True, env=environment)
        taken = starts.since(begun)
    subprocess.run([*base, "down", "-t", "0"], check=True, capture_output=True, env=environment)
    return taken


class _Starts:
    """What becomes of containers with a label, by the engine's own clock, as its events tell.

    To ask for them again and again would take the time from those who are measured.
    """

    def __init__(self, events: subprocess.Popen[str]) -> None:
        self._events = events

    def since(self, begun: float) -> Taken:
        """Wait for the last of the containers to start."""
        assert self._events.stdout is not None
        made, started = [], list[float]()
        while len(started) < COUNT:
            event = json.loads(next(self._events.stdout))
            (made if event["Action"] == "create" else started).append(event["timeNano"] / 1e9)
        return Taken(max(started) - begun, max(started) - min(made))


@contextmanager
def _starts(label: str) -> Iterator[_Starts]:
    # From a moment in the past: `docker events` has no way to say that it listens.
    words = [
        "--since",
        f"{time.time():.6f}",
        "--filter",
        f"label={label}",
        "--filter",
        "event=create",
        "--filter",
        "event=start",
    ]
    with subprocess.Popen(
        ["docker", "events", *words, "--format", "{{json .}}"], stdout=subprocess.PIPE, text=True
    ) as events:
        try:
            yield _Starts(events)
        finally:
            events.terminate()


if __name__ == "__main__":
    sys.exit(run())
