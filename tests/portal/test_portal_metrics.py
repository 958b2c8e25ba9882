"""What /metrics says of the cluster is what the store has, as Prometheus' own judge wants it said."""

import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import anyio
import httpx
import orjson
import pytest

from actors import protocol
from actors.mandate import Mandate
from actors.senate import Senate
from cluster.assignment import Observation
from cluster.model import State
from cluster.reconcile import reconcile
from cluster.transitions import LEGAL
from portal.telemetry import create_telemetry
from store import entities
from store.schema import Table
from store.sqlite import SqliteStore
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.cluster.build import spec, stack
from tests.portal.build import NOW, FakeNode
from tests.portal.test_portal_telemetry import figures_of, get

pytestmark = pytest.mark.anyio

CHANGES = 100
LOADED = "import sys, cli.manager, cli.worker, cli.serve; print(*sys.modules)"


@pytest.mark.parametrize("seed", range(3))
async def test_the_counts_are_the_stores_after_a_hundred_changes(tmp_path, node: FakeNode, seed: int):
    random, store = Random(seed), await SqliteStore.open(tmp_path / "state.db")
    async with senate(store) as system:
        people = People(system, random)
        while await revision(store) < CHANGES:
            await people.act()
        await people.ask("senate", protocol.GetState(), 5.0)  # it has done the last one, too
        backend = replace(node.backend(), ask=people.ask)
        transport = httpx.ASGITransport(create_telemetry(backend))
        async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as client:
            figures = figures_of((await client.get("/metrics")).text)
        rows = {table: await bodies(store, table) for table in (*counted(), Table.TASKS, Table.NODES)}
    tasks = Counter(standing(row) for row in rows[Table.TASKS])
    assert {key[1]: number for key, number in figures.items() if key[0] == "gbnt_tasks" and number} == tasks
    nodes = Counter(row["status"] for row in rows[Table.NODES])
    assert {key[1]: number for key, number in figures.items() if key[0] == "gbnt_nodes" and number} == nodes
    assert {table: figures[f"gbnt_{table}",] for table in counted()} == {t: len(rows[t]) for t in counted()}
    assert len(tasks) > 2, "the changes left too little to count"


async def test_a_judge_of_metrics_finds_nothing_to_say(node: FakeNode):
    for name in ("command", "store", "lag"):
        node.meters.observe(name, 0.004)
    node.meters.observe("request", 0.004, {"method": "GET", "route": "/v1/stacks", "status": "2xx"})
    text = (await get(node, "/metrics")).text
    assert judged(text) == (0, "")
    assert judged(f"{text}# TYPE gbnt_wait_ms counter\ngbnt_wait_ms 3\n")[0] != 0


def test_no_start_waits_for_what_only_a_scrape_needs():
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout.split()
    assert "portal.meters" in loaded
    assert not [name for name in loaded if name.startswith(("opentelemetry", "prometheus_client"))]


def standing(row: dict[str, Any]) -> str:
    """How a task that is stored so stands."""
    return "unknown" if row["unknown"] and LEGAL[row["state"]] else row["state"]


def counted() -> tuple[Table, ...]:
    return Table.STACKS, Table.SERVICES, Table.NETWORKS


def judged(text: str) -> tuple[int, str]:
    """What promtool makes of an exposition: its status, and what it has to say."""
    ran = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


async def revision(store: SqliteStore) -> int:
    return int((await store.read(entities.REVISION))[0]["rev"] or 0)


async def bodies(store: SqliteStore, table: Table) -> list[dict[str, Any]]:
    return [orjson.loads(str(row["body"])) for row in await store.read(entities.every(table))]


@asynccontextmanager
async def senate(store: SqliteStore) -> AsyncIterator[System]:
    """A Senate that keeps its state in the store, and nobody else."""
    ids = count(1)
    clock = lambda: NOW + next(ids)  # noqa: E731
    system = System("rome-1", clock=clock)
    made = ChildSpec("senate", lambda: Senate(store, Mandate(), "rome-1", clock, lambda: f"id{next(ids)}"))
    try:
        async with anyio.create_task_group() as group:
            await group.start(system.run, SupervisorSpec(children=(made,)))
            yield system
            system.stop()
    finally:
        await store.close()


class People:
    """Those who change a cluster, services and machines among them, as chance has it."""

    def __init__(self, system: System, random: Random) -> None:
        self._system = system
        self._random = random
        self._numbers = count(1)

    async def ask(self, path: str, message: object, timeout: float) -> object:
        return await self._system.ref(path).ask(message, timeout=timeout)

    async def act(self) -> None:
        """One command that may well change something."""
        state = await self.ask("senate", protocol.GetState(), 5.0)
        assert isinstance(state, State)
        services, tasks = sorted(state.services), sorted(state.tasks)
        acts = [self._report, self._deploy]
        acts += [self._plan] * 4 + [self._scale, self._remove] if services else []
        acts += [self._observe] * 6 + [self._lose] if tasks else []
        self._system.ref("senate").tell(self._random.choice(acts)(state))

    def _report(self, state: State) -> object:
        node = self._random.choice(("n1", "n2", "n3"))
        return protocol.NodeReport(
            node, node, "192.0.2.7", self._random.choice(("ready", "ready", "unavailable")), "so"
        )

    def _deploy(self, state: State) -> object:
        names = self._random.sample(("web", "db", "cache"), self._random.randint(1, 3))
        wanted = [spec(name, image="web", replicas=self._random.randint(1, 4)) for name in names]
        return protocol.DeployStack(stack(*wanted, name=self._random.choice(("shop", "blog", "wiki"))), prune=True)

    def _plan(self, state: State) -> object:
        service = state.services[self._random.choice(sorted(state.services))]
        return protocol.Plan(service, reconcile(service, state.tasks_of(service.key), NOW + next(self._numbers)))

    def _scale(self, state: State) -> object:
        return protocol.ScaleService(self._random.choice(sorted(state.services)), self._random.randint(0, 5))

    def _remove(self, state: State) -> object:
        return protocol.RemoveStack(self._random.choice(sorted(state.stacks)))

    def _observe(self, state: State) -> object:
        task = state.tasks[self._random.choice(sorted(state.tasks))]
        next_state = self._random.choice(sorted(LEGAL[task.state]) or [task.state])
        removed = task.desired == "remove" and self._random.random() < 0.5
        seen = Observation(task.id, task.sequence + 1, next_state, "so", NOW, task.attempt, removed=removed)
        return protocol.Observed(task.node, "rome-1/agent", 1, (seen,))

    def _lose(self, state: State) -> object:
        return protocol.LoseNode(self._random.choice(sorted(state.nodes)), "not heard", self._random.random() < 0.5)
