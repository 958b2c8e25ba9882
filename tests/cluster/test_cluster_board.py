"""A board that follows the state answers as one made anew, and each answer is the best by definition."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.capacity import Gpus
from cluster.container import PortBinding
from cluster.model import Node, Service, Stack, State, Task, revision_key
from cluster.placement import Board
from cluster.privileges import DeviceRequest, Privileges
from cluster.spec import Mount, Placement, Port, Resources, ServiceSpec, StackSpec, UpdatePolicy, VolumeSpec
from tests.cluster.build import NOW, node, running, service, spec

GB = 10**9
# What each says of labels, and how it is told of machines that do not meet it.
FAULTS: Mapping[str, tuple[Callable[[Mapping[str, str]], bool], str]] = {
    "node.labels.disk == ssd": (lambda labels: labels.get("disk") == "ssd", "lack label disk=ssd"),
    "node.labels.disk != ssd": (lambda labels: labels.get("disk") != "ssd", "have label disk=ssd"),
    "node.labels.zone in (east, west)": (
        lambda labels: labels.get("zone") in ("east", "west"),
        "lack label zone=east or west",
    ),
    "node.labels.ram > 8": (lambda labels: int(labels.get("ram", "0")) > 8, "lack label ram above 8"),
    "node.labels.zone exists": (lambda labels: "zone" in labels, "lack label zone"),
    "stack.name == shop": (lambda _: True, ""),
    "stack.name == blog": (lambda _: False, "are not for stack blog"),
}
SHUNS, JOINS = "node.services != web", "node.services == db"
MACHINES = st.builds(
    lambda cpus, memory, labels, availability, status, volumes, gpus: {
        "cpus": cpus,
        "memory": memory * GB,
        "labels": {key: value for key, value in labels.items() if value},
        "availability": availability,
        "status": status,
        "volumes": volumes,
        "gpus": tuple(Gpus("nvidia.com/gpu", "discovered", number) for number in gpus if number),
        "gpu_runtime": "nvidia" if gpus else "",
    },
    cpus=st.integers(1, 4),
    memory=st.integers(1, 8),
    labels=st.fixed_dictionaries(
        {
            "disk": st.sampled_from(["ssd", "hdd", ""]),
            "zone": st.sampled_from(["east", "west", "north", ""]),
            "rack": st.sampled_from(["r1", "r2"]),
            "ram": st.sampled_from(["4", "16", ""]),
        }
    ),
    availability=st.sampled_from(["active"] * 5 + ["pause", "drain"]),
    status=st.sampled_from(["ready"] * 5 + ["down"]),
    volumes=st.sampled_from([(), (), ("shop_data",)]),
    gpus=st.sampled_from([(), (), (0,), (1,), (3,)]),
)
SPECS = st.builds(
    lambda cpus, memory, constraints, spread, most, binpack, ports, order, mounts, gpus: spec(
        "web",
        reserved=Resources(cpus, memory and memory * GB),
        placement=Placement(tuple(constraints), tuple(spread), most, binpack),
        ports=ports,
        update=UpdatePolicy(order=order),
        network_mode="bridge",
        mounts=mounts,
        privileges=Privileges(requests=tuple(DeviceRequest("nvidia", *gpu) for gpu in gpus)),
    ),
    cpus=st.sampled_from([None, 0.1, 0.7, 2.0]),
    memory=st.sampled_from([None, 1, 3]),
    constraints=st.lists(st.sampled_from([SHUNS, JOINS]) | st.sampled_from([*FAULTS]), max_size=2, unique=True),
    spread=st.lists(st.sampled_from(["node.labels.zone", "node.labels.rack", "node.id"]), max_size=2, unique=True),
    most=st.sampled_from([0, 0, 1, 2]),
    binpack=st.booleans(),
    ports=st.sampled_from([(), (), (Port(80, 8080),)]),
    order=st.sampled_from(["stop-first", "start-first"]),
    mounts=st.sampled_from([(), (), (Mount("volume", "/data", "data"),)]),
    gpus=st.sampled_from([(), (), (), ((1,),), ((2,),), ((-1,),), ((1,), (0, ("0",)))]),
)
# What every machine of some size has room for.
EASY = st.builds(
    lambda cpus, spread, binpack, order: spec(
        "web",
        reserved=Resources(cpus),
        placement=Placement(spread=spread, binpack=binpack),
        update=UpdatePolicy(order=order),
        network_mode="bridge",
    ),
    cpus=st.sampled_from([None, 0.1]),
    spread=st.sampled_from([(), (), ("node.labels.zone",)]),
    binpack=st.sampled_from([False, False, True]),
    order=st.sampled_from(["stop-first", "start-first"]),
)
NAMES = ("web", "db", "cache")


def cluster(machines: Sequence[Mapping[str, object]], specs: Mapping[str, ServiceSpec]) -> State:
    nodes = {f"n{n}": node(id=f"n{n}", name=f"m{n}", **fields) for n, fields in enumerate(machines)}
    services = {f"shop/{name}": service(spec=of) for name, of in specs.items()}
    file = StackSpec("shop", dict(specs), volumes={"data": VolumeSpec("shop_data")})
    return State(
        nodes=nodes,
        stacks={"shop": Stack("shop", file, NOW, NOW)},
        services=services,
        revisions={revision_key(key, "r1"): one.spec for key, one in services.items()},
    )


class Rules:
    """Placement by its definition, from nothing but the state: slow, and plain to see."""

    def __init__(self, state: State) -> None:
        self._state = state

    def against(self, wanted: Service, slot: int) -> dict[str, list[str]]:
        """By machine what speaks against it for a task in this slot, in words."""
        own = [task for task in self._live() if (task.service_key, task.slot) == (wanted.key, slot)]
        others = [task for task in self._live() if task not in own]
        bounds = list(self._ties(wanted, slot))
        found = dict[str, list[str]]()
        for one in self._state.nodes.values():
            full = list(self._fullness(one, wanted, others))
            if wanted.spec.update.order == "start-first" and own:
                late = f" while {own[0].name} goes on, which stops once this serves"
                beside = self._fullness(one, wanted, [*others, *own])
                full = [why if why in full else why + late for why in beside]
            tied = [why for nodes, why in bounds if one.id not in nodes]
            found[one.id] = sorted([*self._standing(one, wanted.spec), *tied, *full])
        return found

    def best(self, wanted: Service, slot: int) -> str | None:
        """The best of the machines against which nothing speaks."""
        fitting = [id for id, whys in self.against(wanted, slot).items() if not whys]
        return min(fitting, key=lambda id: self._price(self._state.nodes[id], wanted, slot), default=None)

    def _live(self) -> list[Task]:
        return [task for task in self._state.tasks.values() if task.state == "running"]

    def _standing(self, one: Node, of: ServiceSpec) -> Iterator[str]:
        if one.status != "ready":
            yield f"are {one.status}: {one.message}"
        if one.availability != "active":
            yield {"pause": "are paused", "drain": "are draining"}[one.availability]
        for text in of.placement.constraints:
            if text in FAULTS and not FAULTS[text][0](one.labels):
                yield FAULTS[text][1]

    def _fullness(self, one: Node, wanted: Service, tasks: Sequence[Task]) -> Iterator[str]:
        """What speaks against a machine where these tasks run."""
        there = [task for task in tasks if task.node == one.id]
        names, of = {task.service for task in there}, wanted.spec
        most = of.placement.max_replicas_per_node
        if most and sum(task.service == wanted.name for task in there) >= most:
            yield f"have {most} of its tasks, the most that one may have"
        if JOINS in of.placement.constraints and "db" not in names:
            yield "have no task of shop/db"
        if SHUNS in of.placement.constraints and "web" in names:
            yield "have a task of shop/web, which it keeps away from"
        for name in sorted(names):
            if wanted.name == "web" and SHUNS in self._spec(name).placement.constraints:
                yield f"have a task of shop/{name}, which keeps away from it"
        cpus, memory = self._taken(there)
        if of.reserved.cpus and cpus + tenths(of.reserved.cpus) > tenths(one.cpus):
            yield f"have too few CPUs free (it reserves {of.reserved.cpus:g})"
        if of.reserved.memory and memory + of.reserved.memory > one.memory:
            yield f"have too little memory free (it reserves {of.reserved.memory // 10**6} MB)"
        if of.privileges.requests and (why := self._without_gpus(one, of, there)):
            yield why
        if of.ports and any(self._spec(name).ports for name in names):
            yield "have port 8080 taken by another task"

    def _without_gpus(self, one: Node, of: ServiceSpec, there: Sequence[Task]) -> str:
        """Why a machine has not the GPUs that are asked for, beside these tasks; empty where it has."""
        number, chosen = of.privileges.requests[0].count, len(of.privileges.requests) > 1
        words = f"{'all' if number < 0 else number}{' and GPU 0' if chosen else ''}"
        too_few = f"have too few GPUs free (it asks for {words})"
        held = {card for task in there for card in task.gpus}
        unnamed = any(self._spec(task.service).privileges.requests and not task.gpus for task in there)
        if not one.gpus:
            if not one.gpu_runtime or any(other.gpus for other in self._state.nodes.values()):
                return too_few
            return "have GPUs that nobody has counted, and a task that has some" if held or unnamed else ""
        cards = {f"nvidia.com/gpu={name}" for name in range(one.gpus[0].count)}
        first = {"nvidia.com/gpu=0"} if chosen else set[str]()
        if not unnamed and first & held:
            return "have GPU 0 taken by another task"
        free = cards - held - first
        return too_few if unnamed or len(free) < (len(cards) if number < 0 else number) else ""

    def _ties(self, wanted: Service, slot: int) -> Iterator[tuple[set[str], str]]:
        """Sets of machines of which a task has to be on one, and what is said of all others."""
        nodes, users = self._state.nodes, {one.name for one in self._state.services.values() if one.spec.mounts}
        if not wanted.spec.mounts:
            return
        holders = {id for id, one in nodes.items() if one.volumes}
        before = [t for t in self._state.tasks.values() if (t.service, t.slot) == (wanted.name, slot)]
        last = max((t for t in before if t.node in holders), key=lambda t: t.created_at, default=None)
        data = ({last.node} if last else holders) or set(nodes)
        counts = Counter(task.node for task in self._live() if task.service in users and task.node in data)
        places = [id for id in counts if nodes[id].status == "ready" and nodes[id].availability in ("active", "pause")]
        if places and len(users) > 1:
            home = min(places, key=lambda id: (not nodes[id].volumes, -counts[id], id))
            yield {home}, f"are not {nodes[home].name}, where what shares volume shop_data with it runs"
        elif len(users) > 1:
            fit = {name: {id for id in nodes if not [*self._standing(nodes[id], self._spec(name))]} for name in users}
            shared = set[str].intersection(*fit.values())
            if shared and shared != fit[wanted.name]:
                called = " or ".join(sorted(nodes[id].name for id in shared))
                yield shared, f"are not {called}, where what shares volume shop_data with it may run"
        if holders:
            names = [nodes[id].name for id in sorted(data)]
            yield data, f"are not {' or '.join(names)}, which holds the data of volume shop_data"

    def _spec(self, name: str) -> ServiceSpec:
        return self._state.services[f"shop/{name}"].spec

    def _taken(self, tasks: Sequence[Task]) -> tuple[int, int]:
        reserved = [self._spec(task.service).reserved for task in tasks]
        return sum(tenths(one.cpus or 0) for one in reserved), sum(one.memory or 0 for one in reserved)

    def _price(self, one: Node, wanted: Service, slot: int) -> Any:
        leaves = slot if wanted.spec.update.order == "stop-first" else 0
        stay = [task for task in self._live() if (task.service, task.slot) != (wanted.name, leaves)]
        own = Counter(task.node for task in stay if task.service == wanted.name)
        levels, same = list[int](), list(self._state.nodes.values())
        for key in wanted.spec.placement.spread:
            same = [other for other in same if self._value(other, key) == self._value(one, key)]
            levels.append(sum(own[other.id] for other in same))
        there = [task for task in stay if task.node == one.id]
        cpus, memory = self._taken(there)
        load = max(cpus / tenths(one.cpus), memory / one.memory)
        if wanted.spec.placement.binpack:
            return levels, -load, -len(there), not self._has_image(one, wanted), one.id
        return levels, own[one.id], load, len(there), not self._has_image(one, wanted), one.id

    def _has_image(self, one: Node, wanted: Service) -> bool:
        of = wanted.spec.image
        seen = (task for task in self._state.tasks.values() if task.node == one.id and task.container_id)
        return any(self._spec(task.service).image == of for task in seen)

    def _value(self, one: Node, key: str) -> str:
        return one.id if key == "node.id" else one.labels.get(key.removeprefix("node.labels."), "")


def tenths(cpus: float) -> int:
    """CPUs in tenths, of which all of these tests are whole numbers."""
    return round(cpus * 10)


REASON = re.compile(r", (?=\d+ (?:is|are|has|have|lack|lacks) )")
SEVERAL = {"is": "are", "has": "have", "lacks": "lack"}


def is_true(reason: str, against: Mapping[str, Sequence[str]]) -> bool:
    """Whether a sentence counts each machine once, and each by something that does speak against it."""
    head, _, told = reason.removesuffix(")").partition(": ")
    counts = dict[str, int]()
    for part in REASON.split(told):
        number, verb, rest = part.split(" ", 2)
        counts[f"{SEVERAL.get(verb, verb)} {rest}"] = int(number)
    nodes = f"{len(against)} node{'s' if len(against) > 1 else ''}"
    enough = all(number <= sum(why in whys for whys in against.values()) for why, number in counts.items())
    return head == f"waits for a machine ({nodes}" and sum(counts.values()) == len(against) and enough


def told(board: Board, wanted: Service, slot: int) -> dict[str, list[str]]:
    """By machine what a board says against it."""
    return {id: sorted(one.why for one in against) for id, against in board.explain(wanted, slot).items()}


def step(state: State, board: Board, wanted: Service, slot: int) -> State:
    """Place one task, and let board and state have it in the place of the one that runs in its slot."""
    found, _ = board.place(wanted, slot)
    if found is None:
        return state
    born = max((task.created_at for task in state.tasks.values()), default=NOW) + 1
    placed = running(
        id=f"{wanted.name}{slot}-{born:.0f}",
        service=wanted.name,
        slot=slot,
        node=found.id,
        bindings=tuple(PortBinding(80, "tcp", "", port.published or 0) for port in wanted.spec.ports),
        container_id="",
        created_at=born,
        gpus=board.cards(wanted, slot, found.id),
    )
    board.take(placed, wanted.spec)
    before = of_slot(state, wanted.name, slot)
    if before is not None:
        state = replace(state, tasks={id: task for id, task in state.tasks.items() if task is not before})
    state = replace(state, tasks={**state.tasks, placed.id: placed})
    if before is not None:
        board.follow(state)
    return state


def of_slot(state: State, name: str, slot: int) -> Task | None:
    """The task that runs in a slot."""
    there = (t for t in state.tasks.values() if (t.service, t.slot, t.state) == (name, slot, "running"))
    return next(there, None)


STEPS = st.tuples(
    st.sampled_from(["web", "web", "web", "db", "cache"]),
    st.integers(1, 8),
    st.sampled_from(["add", "add", "add", "end", "stop", "move"]),
)


@given(
    st.lists(MACHINES, min_size=1, max_size=5),
    st.tuples(SPECS, SPECS, SPECS),
    st.lists(STEPS, min_size=2, max_size=16),
)
def test_a_board_that_follows_answers_as_a_new_one_and_takes_the_best_by_definition(machines, specs, steps):
    state = cluster(machines, {name: replace(of, name=name) for name, of in zip(NAMES, specs, strict=True)})
    board = Board(state)
    for name, slot, what in steps:
        wanted = state.services[f"shop/{name}"]
        if what == "add":
            against = Rules(state).against(wanted, slot)
            assert told(board, wanted, slot) == against
            found, reason = board.place(wanted, slot)
            assert (found.id if found else None) == Rules(state).best(wanted, slot)
            assert found or is_true(reason, against)
            assert Board(state).place(wanted, slot) == (found, reason)
            state = step(state, board, wanted, slot)
        elif what in ("end", "stop"):
            tasks, gone = dict(state.tasks), of_slot(state, name, slot)
            if gone is not None:
                del tasks[gone.id]
            if gone is not None and what == "stop":
                tasks[gone.id] = replace(gone, state="stopped", desired="stop")
            state = replace(state, tasks=tasks)
            board.follow(state)
        else:
            last = sorted(state.nodes)[-1]
            gpus = (Gpus("nvidia.com/gpu", "discovered", 1),) * (slot % 2)
            changed = replace(state.nodes[last], labels={"zone": "west"}, availability="active", cpus=slot, gpus=gpus)
            state = replace(state, nodes={**state.nodes, last: changed})
            board.follow(state)


@given(
    st.lists(st.sampled_from(["east", "west"]), min_size=2, max_size=5),
    st.tuples(EASY, EASY, EASY),
    st.lists(st.tuples(st.sampled_from(["web", "web", "db", "cache"]), st.integers(1, 6), st.booleans()), max_size=12),
)
def test_between_machines_that_are_alike_few_tasks_and_the_image_decide_whatever_a_search_saw_before(
    zones, specs, steps
):
    of = {name: replace(of, name=name) for name, of in zip(NAMES, specs, strict=True)}
    machines = [{"cpus": 4, "memory": 8 * GB, "labels": {"zone": zone}} for zone in zones]
    state = cluster(machines, {**of, "cache": replace(of["cache"], image="redis")})
    board = Board(state)
    for number, (name, slot, is_seen) in enumerate(steps):
        wanted = state.services[f"shop/{name}"]
        found, reason = board.place(wanted, slot)
        assert (found.id if found else None) == Rules(state).best(wanted, slot)
        assert Board(state).place(wanted, slot) == (found, reason)
        assert found is not None
        before, tasks = of_slot(state, name, slot), dict(state.tasks)
        if before is not None:
            tasks[before.id] = replace(before, state="stopped", desired="stop")
        placed = running(id=f"t{number}", service=name, slot=slot, node=found.id, container_id="")
        board.take(placed, wanted.spec)
        tasks[placed.id] = placed
        if is_seen:
            tasks = {id: replace(task, container_id="c") for id, task in tasks.items()}
        state = replace(state, tasks=tasks)
        if before is not None or is_seen:
            board.follow(state)


@given(st.lists(MACHINES, min_size=1, max_size=5), SPECS, st.integers(1, 12))
def test_who_gets_no_machine_is_told_a_true_reason_of_each_and_who_gets_one_never_in_spite_of_one(
    machines, wanted_spec, count
):
    state = cluster(machines, {"web": wanted_spec, "db": spec("db", network_mode="bridge")})
    board, wanted = Board(state), state.services["shop/web"]
    for slot in range(1, count + 1):
        against = Rules(state).against(wanted, slot)
        assert told(board, wanted, slot) == against
        found, reason = board.place(wanted, slot)
        if found is None:
            assert is_true(reason, against)
        else:
            assert not against[found.id]
        state = step(state, board, wanted, slot)
    for one in state.nodes.values():
        there = [task for task in state.tasks.values() if task.node == one.id]
        assert len(there) * (wanted_spec.reserved.cpus or 0) <= one.cpus + 1e-9
        assert len(there) * (wanted_spec.reserved.memory or 0) <= one.memory
        given = [card for task in there for card in task.gpus]
        assert len(given) == len(set(given)) <= sum(gpus.count for gpus in one.gpus)
        assert len(there) < 2 or all(task.gpus for task in there) or not wanted_spec.privileges.requests


@given(st.lists(st.sampled_from(["east", "west", "north"]), min_size=2, max_size=8), st.integers(1, 20))
def test_the_spread_is_within_one_where_nothing_prevents_it(zones, count):
    of = spec(placement=Placement(spread=("node.labels.zone",)), network_mode="bridge")
    state = cluster([{"cpus": 4, "memory": GB, "labels": {"zone": zone}} for zone in zones], {"web": of})
    board = Board(state)
    for slot in range(1, count + 1):
        state = step(state, board, state.services["shop/web"], slot)
    by_zone = Counter(dict.fromkeys(zones, 0))
    by_node = Counter(dict.fromkeys(state.nodes, 0))
    for task in state.tasks.values():
        by_zone[state.nodes[task.node].labels["zone"]] += 1
        by_node[task.node] += 1
    assert max(by_zone.values()) - min(by_zone.values()) <= 1
    for zone in set(zones):
        there = [by_node[id] for id, one in state.nodes.items() if one.labels["zone"] == zone]
        assert max(there) - min(there) <= 1


def test_a_task_without_a_machine_is_no_burden():
    state = cluster([{"cpus": 1, "memory": GB}], {"web": spec(reserved=Resources(cpus=1.0), network_mode="bridge")})
    waiting: Task = running(id="w", node="", state="pending")
    lost: Task = running(id="l", node="gone")
    board = Board(replace(state, tasks={"w": waiting, "l": lost}))
    assert board.place(state.services["shop/web"], 2)[0] is not None
