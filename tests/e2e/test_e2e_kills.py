"""gbnt killed a hundred times under a stream of commands: what was acknowledged is there once, and nothing else moved."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from cli.context import contexts
from tests.e2e.fragile import POINTS
from tests.e2e.node import Node, Row, until

pytestmark = [pytest.mark.engine, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SHOP = """
x-sleeper: &sleeper {image: busybox, command: [sleep, "10000"], stop_grace_period: 0s}
services:
  steady: {<<: *sleeper, deploy: {replicas: 3}}
  scaled: {<<: *sleeper, deploy: {replicas: 1}}
  held: {<<: *sleeper, deploy: {replicas: 1}}
  restarted: {<<: *sleeper, deploy: {replicas: 0}}
"""
CHURN = """
services:
  changed: {image: busybox, command: [sleep, "10000"], environment: {COMMAND: none}, deploy: {replicas: 0}}
"""


@dataclass(slots=True)
class Customer:
    """Sends each command until it is acknowledged, under the same key each time."""

    node: Node
    repeated: int = 0
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        (context,), _ = contexts(self.node.folder / "config")
        self.http = httpx.Client(
            base_url=context.server,
            headers={"Authorization": f"Bearer {context.token}"},
            verify=ssl.create_default_context(cadata=context.certificate_authority),
            timeout=20.0,
        )

    def command(self, method: str, path: str, key: str, body: object = None) -> None:
        while (answer := self._sent(method, path, key, body)) is None:
            self.repeated += 1
            time.sleep(0.02)
        # A credential's secret is shown once: that its command was done before is all that a repetition is told.
        assert answer.is_success or (answer.status_code == 409 and "made its token already" in answer.text), answer.text

    def _sent(self, method: str, path: str, key: str, body: object) -> httpx.Response | None:
        try:
            answer = self.http.request(method, path, headers={"Idempotency-Key": key}, json=body)
        except httpx.TransportError:
            return None
        return None if answer.status_code == 503 else answer

    def get(self, path: str) -> Any:
        return self.http.get(path).raise_for_status().json()


Send = Callable[[Customer, int], None]


def make_token(customer: Customer, number: int) -> None:
    customer.command("POST", "/v1/tokens", f"token-{number}", {"name": f"token-{number}", "role": "viewer"})


def scale(customer: Customer, number: int) -> None:
    customer.command("POST", "/v1/services/shop/scaled/scale", f"scale-{number}", {"replicas": replicas(number)})


def replicas(number: int) -> int:
    """How many the n-th command asks for; never as many as the one before it."""
    return (2, 3, 1)[number % 3]


def hold(customer: Customer, number: int) -> None:
    customer.command("POST", f"/v1/services/shop/held/{('stop', 'start')[number % 2]}", f"hold-{number}")


def restart(customer: Customer, number: int) -> None:
    customer.command("POST", "/v1/services/shop/restarted/restart", f"restart-{number}")


def deployer(spec: Row) -> Send:
    """What deploys a stack of one service, with another environment each time."""
    (name,) = spec["services"]

    def deploy(customer: Customer, number: int) -> None:
        changed = {**spec["services"][name], "environment": {"COMMAND": str(number)}}
        body = {"spec": {**spec, "services": {name: changed}}}
        customer.command("PUT", f"/v1/stacks/{spec['name']}", f"deploy-{number}", body)

    return deploy


@dataclass(slots=True)
class Prober:
    """Asks for a name each 50 ms; `failures` are the answers that were not the expected one."""

    ask: Callable[[], list[str]]
    expected: list[str]
    asked: int = 0
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def asking(self) -> Iterator[None]:
        ended = Event()
        thread = Thread(target=self._ask_until, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _ask_until(self, ended: Event) -> None:
        while not ended.wait(0.05):
            self.asked += 1
            try:
                answer = sorted(self.ask())
            except OSError as error:
                self.failures.append(f"{time.time():.2f}: {error!r}")
            else:
                if answer != self.expected:
                    self.failures.append(f"{time.time():.2f}: {answer}")


@contextmanager
def engine_events(node: Node, target: Path) -> Iterator[None]:
    """The engine's events of this cluster's containers, a JSON object a line, from now until the end."""
    chosen = ("--filter", "type=container", "--filter", f"label=gbnt.cluster={node.cluster}")
    with (
        target.open("wb") as file,
        subprocess.Popen(
            ("docker", "events", "--format", "{{json .}}", *chosen), stdout=file, env=node.environment
        ) as listener,
    ):
        try:
            yield
        finally:
            listener.terminate()


def assert_each_container_ran_once_and_none_beside_its_like(told: Path) -> None:
    starts, live = Counter[tuple[str, str]](), defaultdict[tuple[str, str], set[str]](set)
    for line in told.read_text().splitlines():
        event = json.loads(line)
        labels, container = event["Actor"]["Attributes"], event["Actor"]["ID"]
        slot = (labels["gbnt.service"], labels["gbnt.slot"])
        if event["Action"] == "start":
            starts[labels["gbnt.task"], "a task"] += 1
            starts[container, "a container"] += 1
            live[slot].add(container)
            assert len(live[slot]) == 1, f"two containers run for {slot}: {live[slot]}"
        elif event["Action"] == "die":
            live[slot].discard(container)
    assert {started: times for started, times in starts.items() if times > 1} == {}


def stream(node: Node, send: Send, count: int, lives: int, deaths: Path) -> int:
    """Send `count` commands one after the other, spread evenly over the lives; how often one had to be repeated."""
    customer = Customer(node)
    for number in range(count):
        until(lambda: lives_begun(deaths) * count > number * lives, "another life", patience=120)
        send(customer, number)
    return customer.repeated


def lives_begun(deaths: Path) -> int:
    return 1 + len(deaths.read_text().splitlines())


@pytest.mark.parametrize(
    ("lives", "each"),
    [
        pytest.param(100, 200, id="short", marks=pytest.mark.timeout(400)),
        pytest.param(1000, 2000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(4000)]),
    ],
)
def test_a_hundred_kills_under_a_thousand_commands_lose_none_and_do_none_twice(
    running: Node, lives: int, each: int
) -> None:
    assert running.deploy(SHOP, "shop").code == 0
    assert running.deploy(CHURN, "churn").code == 0
    steady = {c["Id"]: c["State"]["StartedAt"] for c in running.containers("label=gbnt.service=steady")}
    expected = sorted(running.resolve("shop_default", "steady"))
    assert len(steady) == len(expected) == 3
    prober = Prober(running.asker("shop_default", "steady"), expected)
    sends = (make_token, scale, hold, restart, deployer(Customer(running).get("/v1/stacks/churn")["spec"]))
    deaths, told = running.folder / "deaths", running.folder / "events"
    deaths.touch()

    with prober.asking(), engine_events(running, told):
        running.stop()
        fragile = (sys.executable, "-m", "tests.e2e.fragile", "1", str(lives), str(deaths), "serve")
        running.program, running.cwd = fragile, ROOT
        running.launch()
        with ThreadPoolExecutor(len(sends)) as threads:
            sent = [threads.submit(stream, running, send, each, lives, deaths) for send in sends]
            repeated = sum(one.result() for one in sent)
        until(lambda: lives_begun(deaths) > lives and running.is_well(), "the last life")
        until(lambda: settled(running, each), "the tasks that the last commands ask for")

    causes = Counter(deaths.read_text().splitlines())
    assert set(causes) == set(POINTS), causes
    assert repeated > 0
    assert prober.failures == [] and prober.asked > lives
    assert_each_command_was_done_once(Customer(running), each)
    assert_each_container_ran_once_and_none_beside_its_like(told)
    assert {c["Id"]: c["State"]["StartedAt"] for c in running.containers("label=gbnt.service=steady")} == steady


def settled(node: Node, each: int) -> bool:
    """Whether there runs what the last commands ask for, and nothing else."""
    wanted = {"steady": 3, "scaled": replicas(each - 1), "held": (each - 1) % 2}
    running = Counter(c["Config"]["Labels"]["gbnt.service"] for c in node.containers())
    tasks = Counter(task["service"].partition("/")[2] for task in node.rows("task", "ls") if task["state"] == "running")
    return running == tasks == Counter(wanted)


def assert_each_command_was_done_once(customer: Customer, each: int) -> None:
    done = defaultdict[str, list[str]](list)
    for event in events(customer):
        done[f"{event['kind']} {event['subject']}"].append(event["message"])
    for number in range(each):
        assert done[f"token.created token-{number}"] == ["role viewer"], number
    asked = [1, *(replicas(number) for number in range(each))]
    assert done["service.scaled shop/scaled"] == [f"scaled from {a} to {b}" for a, b in pairwise(asked)]
    assert done["service.changed shop/restarted"] == ["restarting"] * each
    assert done["stack.deployed churn"] == ["changed created", *["changed updated"] * each]
    assert [len(done[f"service.{word} shop/held"]) for word in ("stopped", "started")] == [each - each // 2, each // 2]
    assert sorted(token["name"] for token in customer.get("/v1/tokens")["items"]) == sorted(
        ["first", *(f"token-{number}" for number in range(each))]
    )


def events(customer: Customer) -> Iterator[Row]:
    """Every event that is kept, the oldest first."""
    after = 1
    while page := customer.get(f"/v1/events?after={after}&limit=10000")["items"]:
        # A page may end within a revision.
        last = page[-1]["revision"]
        if len(page) == 10_000:
            page = [event for event in page if event["revision"] < last]
        yield from page
        after = page[-1]["revision"]
