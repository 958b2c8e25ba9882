"""Thirty replicas on one engine: `gbnt` against docker-compose, and against the engine's own floor."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.deploy_floor import LABEL, best_concurrency
from bench.figures import Goal, median, report
from bench.manager import Manager, manager
from bench.starts import LOCAL, Taken, starts

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
    degree = best_concurrency(COUNT, LOCAL, "named", CONCURRENCIES)
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


def _floor(degree: int) -> Taken:
    """The least program that does the same, started as the others are."""
    with starts(LABEL) as heard:
        begun = time.time()
        command = [sys.executable, "-m", "bench.deploy_floor", str(COUNT), str(degree), "named", *LOCAL]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            taken = heard.since(begun, COUNT)
            process.communicate()
    return taken


def _deploy(cluster: Manager, folder: Path) -> Taken:
    """From the command to thirty running containers, as the engine says; the stack is removed again."""
    file = folder / "gbnt.yaml"
    file.write_text(COMPOSE.format(replicas=f"    deploy: {{replicas: {COUNT}}}"))
    with starts("gbnt.stack=bench") as heard:
        begun = time.time()
        cluster.gbnt("stack", "deploy", "-c", str(file), "bench", "--detach")
        taken = heard.since(begun, COUNT)
    cluster.gbnt("stack", "rm", "bench", "--yes")
    return taken


def _compose(folder: Path) -> Taken:
    file = folder / "docker-compose.yml"
    file.write_text('version: "3"\n' + COMPOSE.format(replicas=""))
    base = ["docker-compose", "-p", "benchpeer", "-f", str(file)]
    environment = {**os.environ, "COMPOSE_PARALLEL_LIMIT": "64"}
    with starts("com.docker.compose.project=benchpeer") as heard:
        begun = time.time()
        subprocess.run([*base, "up", "-d", "--scale", f"web={COUNT}"], check=True, capture_output=True, env=environment)
        taken = heard.since(begun, COUNT)
    subprocess.run([*base, "down", "-t", "0"], check=True, capture_output=True, env=environment)
    return taken


if __name__ == "__main__":
    sys.exit(run())
