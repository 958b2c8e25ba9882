"""Thirty replicas over three engines: `gbnt` against Docker Swarm on the same engines, and against their own floor."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial

from bench.deploy import COUNT, RUNS
from bench.deploy_floor import LABEL, best_concurrency
from bench.figures import Goal, median, report
from bench.legion import MACHINES, NETWORKS, Cluster, Rivals, rivals
from bench.starts import Taken, starts

BENCH = "deploy.three_engines"
CONCURRENCIES = (2, 4, 8)


def run() -> None:
    """On the engines' own network, and on one where the service has a name."""
    with rivals(COUNT) as both:
        for network in NETWORKS:
            _report(network, _compare(both, network))


def _compare(both: Rivals, network: str) -> Mapping[str, Sequence[Taken]]:
    """Interleaved, so that a slow minute of the machine is slow for all. The first of each warms up."""
    degree = best_concurrency(COUNT // MACHINES, both.engines, network, CONCURRENCIES)
    contenders = {
        "floor": partial(_floor, degree, network, both.engines),
        "ours": partial(_deploy, both.ours[network], both.engines),
        "swarm": partial(_deploy, both.swarm[network], both.engines),
    }
    rounds = [{name: deploy() for name, deploy in contenders.items()} for _ in range(RUNS + 1)]
    return {name: [taken[name] for taken in rounds[1:]] for name in contenders}


def _report(network: str, taken: Mapping[str, Sequence[Taken]]) -> None:
    for place, which in (("", 0), ("_in_the_engine", 1)):
        seconds = {name: [one[which] for one in each] for name, each in taken.items()}
        middle = {name: median(each) for name, each in seconds.items()}
        for rival, goal in (("swarm", Goal("<", 1.0)), ("floor", None)):
            ratio = median([mine / theirs for mine, theirs in zip(seconds["ours"], seconds[rival], strict=True)])
            report(
                f"{BENCH}.{network}",
                f"ratio_to_{rival}{place}",
                ratio,
                "x",
                goal,
                ours=middle["ours"],
                floor=middle["floor"],
                peers={"swarm": middle["swarm"]},
                runs=RUNS,
            )


def _floor(degree: int, network: str, engines: Sequence[str]) -> Taken:
    """The least program that does the same, started as the others are."""
    words = [sys.executable, "-m", "bench.deploy_floor", str(COUNT // MACHINES), str(degree), network, *engines]
    with starts(LABEL, engines) as heard:
        begun = time.time()
        with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
            taken = heard.since(begun, COUNT)
            process.communicate()
    return taken


def _deploy(cluster: Cluster, engines: Sequence[str]) -> Taken:
    """From the command to thirty running containers, as the engines say; the service is removed again."""
    with starts(cluster.label, engines) as heard:
        begun = time.time()
        cluster.deploy()
        taken = heard.since(begun, COUNT)
    cluster.settle(COUNT)
    cluster.remove()
    return taken
