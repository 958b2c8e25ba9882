"""gbnt is killed a hundred times under a stream of commands: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

import pytest

from tests.e2e.doomed import BY_THE_CLOCK, POINTS
from tests.e2e.node import Node, until
from tests.e2e.stream import (
    Command,
    Event,
    Stream,
    api,
    deploy_commands,
    events,
    scale_commands,
    token_commands,
    turn_commands,
)
from tests.e2e.witness import Prober, Witness, violations

pytestmark = [pytest.mark.engine, pytest.mark.slow]

# A life that did not come to its point by then is ended by the clock.
LONGEST_LIFE = 3.0
STEADY = 3

CIRCUS = f"""
services:
  steady: {{image: busybox, command: [sleep, "100000"], deploy: {{replicas: {STEADY}}}}}
  scaled: {{image: busybox, command: [sleep, "100000"], stop_grace_period: 0s}}
  turned: {{image: busybox, command: [sleep, "100000"], stop_grace_period: 0s}}
"""
PAPYRUS = """
services:
  sheet: {image: busybox, deploy: {replicas: 0}}
"""


@pytest.mark.timeout(360)
def test_a_hundred_kills_under_a_thousand_commands_lose_nothing_and_do_nothing_twice(running: Node) -> None:
    withstand(running, kills=108, commands=1_000, random=Random(20_261))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_kills_under_ten_thousand_commands_lose_nothing_and_do_nothing_twice(
    running: Node, seed: int
) -> None:
    withstand(running, kills=1_000, commands=10_000, random=Random(seed))


def withstand(node: Node, kills: int, commands: int, random: Random) -> None:
    """Kill a node so often under so many commands, and look at what came of it."""
    with Witness(node) as witness:
        node.bring_up(PAPYRUS, "papyrus")
        node.bring_up(CIRCUS, "circus")
        steady = lives(node)
        scripts = scripts_of(node, commands)
        noted_before = len(events(node))
        gateway, addresses = network_of(node)
        with Prober(gateway, {"steady": addresses, "turned": None}) as prober:
            with Stream(node, scripts) as stream:
                ended = kill_again_and_again(node, stream, kills, random)
                node.start()
            until(lambda: converged(node), "the circus as it was wanted last")
        assert stream.failures == []
        assert stream.acknowledged == commands
        assert stream.repeated > 0
        assert ended.total() == kills
        assert min(ended[point] for point in (*POINTS, BY_THE_CLOCK)) >= kills // 12, ended
        assert prober.failures == []
        assert lives(node) == steady
        noted = events(node)[noted_before:]
        assert_each_command_left_its_trace_once(scripts, noted)
        wanted_down = Counter(event.subject for event in noted if event.kind == "task.stopping")
        assert violations(witness.happened(), wanted_down) == []
        assert "Traceback" not in node.log


def kill_again_and_again(node: Node, stream: Stream, kills: int, random: Random) -> Counter[str]:
    """Let gbnt live and die so often, a share of the commands each time; how often it died of what.

    Each point has its turn, and then the clock: that one ends the shipped program, which may still be starting.
    """
    kinds = (*POINTS, BY_THE_CLOCK)
    node.kill9()
    ended = Counter({BY_THE_CLOCK: 1})
    with doomed(node) as live:
        for number in range(1, kills):
            stream.release(number / kills)
            kind = kinds[number % len(kinds)]
            if kind == BY_THE_CLOCK:
                kill_by_the_clock(node, random.uniform(0.2, 2.5))
                ended[kind] += 1
            else:
                # The first passings come while gbnt still starts, the later ones when it is at work.
                ended[live(kind, random.randint(1, 4 if "call" in kind else 8))] += 1
    return ended


def kill_by_the_clock(node: Node, seconds: float) -> None:
    """Start the shipped program, and end it after so many seconds."""
    node.launch()
    assert node.process is not None
    with pytest.raises(subprocess.TimeoutExpired):
        node.process.wait(seconds)
    node.kill9()


@contextmanager
def doomed(node: Node) -> Iterator[Callable[[str, int], str]]:
    """What lets a node live until it passes a point so many times, and says what ended it."""
    words = (sys.executable, "-m", "tests.e2e.doomed", "serve", *node.doors)
    pipe = subprocess.PIPE
    with (
        (node.folder / "serve.log").open("ab") as log,
        subprocess.Popen(words, env=node.environment, stdin=pipe, stdout=pipe, stderr=log, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        orders, answers = process.stdin, process.stdout

        def live(point: str, passings: int) -> str:
            orders.write(f"{point}:{passings} {LONGEST_LIFE}\n")
            orders.flush()
            return answers.readline().strip()

        yield live


def scripts_of(node: Node, commands: int) -> list[list[Command]]:
    """Three commands in ten change what runs or what is deployed; the others are as quick as a command can be."""
    with api(node) as client:
        papyrus = client.get("/v1/stacks/papyrus").raise_for_status().json()["spec"]
    tenth = commands // 10
    return [
        token_commands("romulus", 4 * tenth),
        token_commands("remus", commands - 7 * tenth),
        scale_commands("circus/scaled", tenth),
        turn_commands("circus/turned", tenth),
        deploy_commands(papyrus, tenth),
    ]


def lives(node: Node) -> dict[str, str]:
    """The steady containers and when each was started."""
    return {c["Id"]: c["State"]["StartedAt"] for c in node.containers("label=gbnt.service=steady")}


def network_of(node: Node) -> tuple[str, set[str]]:
    """The gateway of the circus's network, and the steady containers' addresses on it."""
    (network,) = json.loads(node.docker("network", "inspect", "circus_default"))
    found = node.containers("label=gbnt.service=steady")
    addresses = {c["NetworkSettings"]["Networks"]["circus_default"]["IPAddress"] for c in found}
    assert len(addresses) == STEADY
    return network["IPAM"]["Config"][0]["Gateway"], addresses


def converged(node: Node) -> bool:
    """Whether each service has as many containers as it should, and the engine no others."""
    for row in node.rows("service", "ls"):
        wanted = 0 if row["stopped"] else row["replicas"]
        if row["running"] != wanted or len(node.containers(f"label=gbnt.service={row['service']}")) != wanted:
            return False
    return True


def assert_each_command_left_its_trace_once(scripts: Sequence[Sequence[Command]], noted: Sequence[Event]) -> None:
    """The events of each client's subjects are its commands in the order sent: none is missing, none is there twice."""
    by_client: defaultdict[int, list[Event]] = defaultdict(list)
    owner = {(c.leaves.kind, c.leaves.subject): number for number, script in enumerate(scripts) for c in script}
    for event in noted:
        if (event.kind, event.subject) in owner:
            by_client[owner[event.kind, event.subject]].append(event)
    for number, script in enumerate(scripts):
        sent = [command.leaves for command in script]
        found = by_client[number]
        lost, surplus = Counter(sent) - Counter(found), Counter(found) - Counter(sent)
        assert found == sent, f"client {number}: lost {lost}, doubled {surplus}"
