"""What must hold at every moment of a simulation, and what must hold once all bad luck is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping

import anyio

from cluster.containers import ATTEMPT, SERVICE, SLOT, STACK, TASK
from cluster.model import State
from engine.fake import FakeEngine
from engine.port import ContainerInfo, EngineEvent
from supervisor.dead_letters import DeadLetter, Reason
from tests.sim.customer import NETWORKS, Customer, Wanted

# Messages for whom nobody lives any more are as it should be; a full mailbox or an unreadable message is not.
EXPECTED = {Reason.NO_SUCH_ACTOR, Reason.STOPPED, Reason.EXPIRED}


class Violation(AssertionError):
    """Something happened that must never happen."""


async def settle(unsettled: Callable[[], Awaitable[list[str]]], within: float, pause: float) -> None:
    """Look each `pause` seconds until nothing is missing. Raises Violation with what is after `within` seconds."""
    deadline = anyio.current_time() + within
    while missing := await unsettled():
        if anyio.current_time() > deadline:
            raise Violation("\n".join(["bad luck is over, and still:", *missing]))
        await anyio.sleep(pause)


class Witness:
    """Sees each event of the engine at its moment. `note` takes a line for the log."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.violations: list[str] = []
        self._note = note
        self._started: set[tuple[str, str]] = set()

    def see(self, event: EngineEvent) -> None:
        """Each attempt of a task is started once, whatever became of it and of its maker."""
        label = event.labels.get
        attempt = label(TASK, ""), label(ATTEMPT, "")
        self._note(
            f"{event.action} {label(STACK)}-{label(SERVICE)}-{label(SLOT)} {'.'.join(attempt)} {event.container}"
        )
        if event.action == "start":
            if attempt in self._started:
                self.violations.append(f"attempt {attempt[1]} of task {attempt[0]} was started twice")
            self._started.add(attempt)

    def forgive(self, labels: Mapping[str, str]) -> None:
        """Somebody removes this container by hand, perhaps before anybody could note that it ran."""
        self._started.discard((labels[TASK], labels[ATTEMPT]))


def unsettled(
    state: State, containers: list[ContainerInfo], networks: set[str], customers: list[Customer]
) -> list[str]:
    """What is not yet as it was ordered."""
    running = Counter(slot(info) for info in containers if info.state == "running")
    orders = {f"{one.stack}/{name}": wanted for one in customers for name, wanted in one.wanted.items()}
    return [
        *_services(state, orders, running),
        *(f"{slot} runs and nobody wants it" for slot in running if slot[0] not in orders),
        *_leftovers(state, containers),
        *_networks(networks, customers),
    ]


def slot(info: ContainerInfo) -> tuple[str, int]:
    """Whose container it is: the service (`stack/name`), and which of its slots."""
    return f"{info.labels[STACK]}/{info.labels[SERVICE]}", int(info.labels[SLOT])


def _services(state: State, orders: Mapping[str, Wanted], running: Counter[tuple[str, int]]) -> Iterator[str]:
    for key, wanted in orders.items():
        slots = range(1, wanted.replicas + 1) if not wanted.stopped else ()
        expected = Counter((key, number) for number in slots if not wanted.once)
        found = Counter({slot: count for slot, count in running.items() if slot[0] == key})
        if found != expected:
            yield f"{key} runs {dict(found)} and should run {dict(expected)}"
        tasks = [task for task in state.tasks_of(key) if task.desired == "run"]
        good = [task for task in tasks if task.serving or (wanted.once and task.state == "complete")]
        if len(tasks) != len(slots) or len(good) != len(slots):
            yield f"{key} has {len(tasks)} wanted tasks, {len(good)} of them good, and should have {len(slots)}"
        if any(state.spec_of(task).image != wanted.image for task in tasks):
            yield f"{key} does not run {wanted.image} everywhere"


def _leftovers(state: State, containers: list[ContainerInfo]) -> Iterator[str]:
    for info in containers:
        if info.labels[TASK] not in state.tasks:
            yield f"container {info.name} is left over: its task is gone"
        elif info.state == "created":
            yield f"container {info.name} was made and never started"


def _networks(networks: set[str], customers: list[Customer]) -> Iterator[str]:
    expected = {f"{one.stack}_{key}" for one in customers if one.wanted for key in NETWORKS}
    if networks - expected:
        yield f"networks {sorted(networks - expected)} are left over"


def complaints(engine: FakeEngine, letters: list[DeadLetter], events: list[str]) -> list[str]:
    """What went wrong on the way, though all may be well by now."""
    return [
        *engine.violations,
        *(f"{one.address} did not get {one.message}: {one.reason}" for one in letters if one.reason not in EXPECTED),
        *(event for event in events if event.startswith("task.illegal") or "already in use on network" in event),
    ]
