"""A board that follows the state answers as one made anew, and each answer is the best by definition."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.ask import ask_of
from cluster.capacity import Gpus
from cluster.constraints import value_of
from cluster.gpus import cards_of
from cluster.model import Node, Service, State, Task, revision_key
from cluster.objections import crowding, standing
from cluster.placement import Board
from cluster.privileges import DeviceRequest, Privileges
from cluster.seats import Held, Seats
from cluster.spec import Placement, Port, Resources, ServiceSpec, UpdatePolicy
from tests.cluster.build import node, running, service, spec

GB = 10**9
CONSTRAINTS = (
    "node.labels.disk == ssd",
    "node.labels.disk != ssd",
    "node.labels.zone in (east, west)",
    "node.labels.ram > 8",
    "node.labels.zone exists",
    "node.services != web",
    "node.services == db",
    "stack.name == shop",
)
MACHINES = st.builds(
    lambda cpus, memory, labels, availability, status, gpus: {
        "cpus": cpus,
        "memory": memory * GB,
        "labels": {key: value for key, value in labels.items() if value},
        "availability": availability,
        "status": status,
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
    gpus=st.sampled_from([(), (), (0,), (1,), (3,)]),
)
SPECS = st.builds(
    lambda cpus, memory, constraints, spread, most, binpack, ports, order, gpus: spec(
        "web",
        reserved=Resources(cpus, memory and memory * GB),
        placement=Placement(tuple(constraints), tuple(spread), most, binpack),
        ports=ports,
        update=UpdatePolicy(order=order),
        network_mode="bridge",
        privileges=Privileges(requests=tuple(DeviceRequest("nvidia", *gpu) for gpu in gpus)),
    ),
    cpus=st.sampled_from([None, 0.1, 0.7, 2.0]),
    memory=st.sampled_from([None, 1, 3]),
    constraints=st.lists(st.sampled_from(CONSTRAINTS), max_size=2, unique=True),
    spread=st.lists(st.sampled_from(["node.labels.zone", "node.labels.rack", "node.id"]), max_size=2, unique=True),
    most=st.sampled_from([0, 0, 1, 2]),
    binpack=st.booleans(),
    ports=st.sampled_from([(), (), (Port(80, 8080),)]),
    order=st.sampled_from(["stop-first", "start-first"]),
    gpus=st.sampled_from([(), (), ((1,),), ((2,),), ((-1,),), ((1,), (0, ("0",)))]),
)
NAMES = ("web", "db", "cache")


def cluster(machines: Sequence[Mapping[str, object]], specs: Mapping[str, ServiceSpec]) -> State:
    nodes = {f"n{n}": node(id=f"n{n}", name=f"m{n}", **fields) for n, fields in enumerate(machines)}
    services = {f"shop/{name}": service(spec=of) for name, of in specs.items()}
    return State(
        nodes=nodes,
        services=services,
        revisions={revision_key(key, "r1"): one.spec for key, one in services.items()},
    )


class Rules:
    """Placement by its definition, from nothing but the state: slow, and plain to see."""

    def __init__(self, state: State) -> None:
        self._state = state

    def fitting(self, wanted: Service, slot: int) -> list[Node]:
        """The machines that a task in this slot may go to."""
        seats, ask = self._seats(wanted, slot), ask_of(wanted.stack, wanted.spec)
        return [
            seat.node
            for seat in seats.by_id.values()
            if not [*standing(seat.node, ask.terms), *crowding(seat, seats, wanted.key, ask)]
        ]

    def best(self, wanted: Service, slot: int) -> str | None:
        """The best of those."""
        prices = {one.id: self._price(one, wanted, slot) for one in self.fitting(wanted, slot)}
        return min(prices, key=lambda id: prices[id], default=None)

    def _seats(self, wanted: Service, slot: int) -> Seats:
        seats = Seats(self._state.nodes.values())
        for held in self._held(wanted, slot):
            seats.count(held, 1)
        return seats

    def _held(self, wanted: Service, slot: int) -> Iterator[Held]:
        for task in self._state.tasks.values():
            leaves = (task.service_key, task.slot) == (wanted.key, slot)
            if not (leaves and wanted.spec.update.order == "stop-first"):
                yield Held(task, ask_of(task.stack, self._state.spec_of(task)), task.service_key)

    def _price(self, one: Node, wanted: Service, slot: int) -> Any:
        seats, placement = self._seats(wanted, slot), wanted.spec.placement
        own = Counter({id: number for id, number in seats.where[wanted.key].items() if number})
        levels, same = list[int](), set(self._state.nodes)
        for key in placement.spread:
            mine = value_of(one, key) or ""
            same = {id for id in same if (value_of(self._state.nodes[id], key) or "") == mine}
            levels.append(sum(own[id] for id in same))
        seat = seats.by_id[one.id]
        load = max(seat.nano_cpus / (one.cpus * 10**9), seat.memory / one.memory)
        if placement.binpack:
            return levels, -load, -seat.tasks, one.id
        return levels, own[one.id], load, seat.tasks, one.id


def step(state: State, board: Board, wanted: Service, slot: int) -> State:
    """Place one task, and let board and state have it."""
    found, _ = board.place(wanted, slot)
    if found is None:
        return state
    placed = running(
        id=f"{wanted.name}{slot}",
        service=wanted.name,
        slot=slot,
        node=found.id,
        bindings=(),
        container_id="",
        gpus=board.cards(wanted, slot, found.id),
    )
    board.take(placed, wanted.spec)
    return replace(state, tasks={**state.tasks, placed.id: placed})


STEPS = st.tuples(
    st.sampled_from(["web", "web", "web", "db", "cache"]),
    st.integers(1, 8),
    st.sampled_from(["add", "add", "add", "end", "move"]),
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
            expected = Rules(state).best(wanted, slot)
            found, reason = board.place(wanted, slot)
            assert (found.id if found else None) == expected
            assert Board(state).place(wanted, slot) == (found, reason)
            state = step(state, board, wanted, slot)
        elif what == "end":
            tasks = {id: task for id, task in state.tasks.items() if id != f"{name}{slot}"}
            state = replace(state, tasks=tasks)
            board.follow(state)
        else:
            last = sorted(state.nodes)[-1]
            gpus = (Gpus("nvidia.com/gpu", "discovered", 1),) * (slot % 2)
            changed = replace(state.nodes[last], labels={"zone": "west"}, availability="active", cpus=slot, gpus=gpus)
            state = replace(state, nodes={**state.nodes, last: changed})
            board.follow(state)


@given(st.lists(MACHINES, min_size=1, max_size=5), SPECS, st.integers(1, 12))
def test_who_gets_no_machine_is_told_a_true_reason_of_each_and_who_gets_one_never_in_spite_of_one(
    machines, wanted_spec, count
):
    state = cluster(machines, {"web": wanted_spec, "db": spec("db", network_mode="bridge")})
    board, wanted = Board(state), state.services["shop/web"]
    for slot in range(1, count + 1):
        fitting = {one.id for one in Rules(state).fitting(wanted, slot)}
        against = board.explain(wanted, slot)
        assert {id for id, objections in against.items() if not objections} == fitting
        found, reason = board.place(wanted, slot)
        if found is None:
            assert not fitting
            assert reason.startswith(f"waits for a machine ({len(machines)} node")
        else:
            assert found.id in fitting
        state = step(state, board, wanted, slot)
    for one in state.nodes.values():
        there = [task for task in state.tasks.values() if task.node == one.id]
        assert len(there) * (wanted_spec.reserved.cpus or 0) <= one.cpus + 1e-9
        assert len(there) * (wanted_spec.reserved.memory or 0) <= one.memory
        given = [card for task in there for card in task.gpus]
        assert len(given) == len(set(given)) <= len(cards_of(one.gpus))
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
