"""From the cut of a machine's cable to all replicas running elsewhere: gbnt and Docker Swarm, by the same cut."""

from __future__ import annotations

import time

from bench.deploy import COUNT, RUNS
from bench.figures import Goal, median, report
from bench.legion import MACHINES, Cluster, rivals
from bench.starts import starts

BENCH = "node_loss.three_engines"
GOAL = 6.0


def run() -> None:
    """One cut is for both: what the later one does cannot disturb the earlier."""
    ours, swarm = list[float](), list[float]()
    with rivals(COUNT) as both:
        for turn in range(RUNS + 1):
            taken = _lose(both.ours["bridge"], both.swarm["bridge"])
            if turn:
                ours.append(taken[0])
                swarm.append(taken[1])
    peers = {"swarm": median(swarm)}
    report(BENCH, "seconds", median(ours), "s", Goal("<=", GOAL), ours=median(ours), peers=peers, runs=RUNS)
    ratio = median([mine / theirs for mine, theirs in zip(ours, swarm, strict=True)])
    report(BENCH, "ratio_to_swarm", ratio, "x", Goal("<", 1.0), ours=median(ours), peers=peers, runs=RUNS)


def _lose(ours: Cluster, swarm: Cluster) -> tuple[float, float]:
    """Seconds that each took; in the end all machines are back, and each cluster has what is wanted."""
    clusters = (ours, swarm)
    for cluster in clusters:
        cluster.deploy()
        cluster.settle(COUNT)
    *others, lost = ours.lab.machines
    missing = ours.running(lost), swarm.running(lost)
    if missing != (COUNT // MACHINES, COUNT // MACHINES):
        raise RuntimeError(f"{lost.name} was to have a third of each, and has {missing}")
    engines = [machine.host.url for machine in others]
    with starts(ours.label, engines) as heard_of_ours, starts(swarm.label, engines) as heard_of_swarm:
        begun = time.time()
        ours.lab.cut(lost)
        taken = heard_of_ours.since(begun, missing[0]).command, heard_of_swarm.since(begun, missing[1]).command
    ours.lab.heal()
    for cluster in clusters:
        cluster.settle(COUNT)
        cluster.remove()
    return taken
