"""Which machine a task goes to, and what is said where there is none."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.capacity import Gpus
from cluster.container import PortBinding
from cluster.model import Node, Service, Stack, State, Task, revision_key
from cluster.placement import Board
from cluster.privileges import DeviceRequest, Privileges
from cluster.spec import (
    Attachment,
    Healthcheck,
    Mount,
    NetworkSpec,
    Placement,
    Port,
    Resources,
    ServiceSpec,
    StackSpec,
    UpdatePolicy,
    VolumeSpec,
)
from tests.cluster.build import NOW, node, running, service, spec

GB = 10**9


def machine(name: str, **fields: Any) -> Node:
    return node(**{"id": name, "name": name, "cpus": 4, "memory": 8 * GB, **fields})


def wanted(of: ServiceSpec) -> Service:
    return service(spec=of, replicas=of.replicas)


def cluster(*nodes: Node, services: tuple[ServiceSpec, ...] = (), tasks: tuple[Task, ...] = (), **stack: Any) -> State:
    networks = {key: NetworkSpec(f"shop_{key}") for key in ("default", "back")}
    known = StackSpec("shop", {s.name: s for s in services}, networks, **stack)
    return State(
        nodes={one.id: one for one in nodes},
        stacks={"shop": Stack("shop", known, NOW, NOW)},
        services={f"shop/{s.name}": wanted(s) for s in services},
        revisions={revision_key(f"shop/{s.name}", "r1"): s for s in services},
        tasks={task.id: task for task in tasks},
    )


def fill(state: State, of: ServiceSpec, count: int) -> list[str]:
    """The machines that so many tasks of a service go to, one after the other."""
    board, went = Board(state), []
    for slot in range(1, count + 1):
        found, reason = board.place(wanted(of), slot)
        assert found is not None, reason
        went.append(found.id)
        cards = board.cards(wanted(of), slot, found.id)
        board.take(running(id=f"new{slot}", slot=slot, node=found.id, service=of.name, gpus=cards), of)
    return went


def why_not(state: State, of: ServiceSpec) -> str:
    found, reason = Board(state).place(wanted(of), 1)
    assert found is None
    return reason


# -- filters ---------------------------------------------------------------------------------------------------------


def test_without_a_machine_a_task_waits_for_one():
    assert why_not(State(), spec()) == "waits for a machine: none is there yet"


def test_each_machine_that_was_turned_away_is_counted_with_its_reason():
    state = cluster(
        machine("a"),
        machine("b"),
        machine("c", labels={"gpu": "nvidia"}, availability="drain"),
        machine("d", status="down", message="not heard of for 5 s"),
    )
    of = spec(placement=Placement(("node.labels.gpu == nvidia",)))
    assert why_not(state, of) == (
        "waits for a machine (4 nodes: 2 lack label gpu=nvidia, 1 is draining, 1 is down: not heard of for 5 s)"
    )


@pytest.mark.parametrize(
    ("availability", "said"), [("pause", "paused"), ("drain", "draining"), ("maintenance", "in maintenance")]
)
def test_a_machine_that_is_not_to_get_tasks_gets_none(availability: Any, said: str):
    assert (
        why_not(cluster(machine("a", availability=availability)), spec())
        == f"waits for a machine (1 node: 1 is {said})"
    )


def test_reservations_are_kept():
    of = spec(reserved=Resources(cpus=2.0, memory=3 * GB))
    state = cluster(machine("a"), services=(of,))
    assert fill(state, of, 2) == ["a", "a"]
    taken = cluster(machine("a"), services=(of,), tasks=(running(node="a"), running(id="t2", slot=2, node="a")))
    found, reason = Board(taken).place(wanted(of), 3)
    assert (found, reason) == (None, "waits for a machine (1 node: 1 has too few CPUs free (it reserves 2))")


def test_a_machine_has_each_port_once():
    of = spec(ports=(Port(80, 8080),))
    held = running(id="x", service="other", node="a", bindings=(PortBinding(80, "tcp", "", 8080),))
    state = cluster(machine("a"), machine("b"), services=(of, spec("other")), tasks=(held,))
    assert fill(state, of, 1) == ["b"]


def test_a_port_that_another_has_is_the_reason_on_the_only_machine():
    of = spec(ports=(Port(80, 8080),))
    held = running(id="x", service="other", node="a", bindings=(PortBinding(80, "tcp", "", 8080),))
    state = cluster(machine("a"), services=(of, spec("other")), tasks=(held,))
    assert why_not(state, of) == "waits for a machine (1 node: 1 has port 8080 taken by another task)"


def test_what_starts_after_its_predecessor_stopped_finds_what_that_held():
    of = spec(ports=(Port(80, 8080),), reserved=Resources(cpus=3.0))
    old = running(node="a", bindings=(PortBinding(80, "tcp", "", 8080),))
    state = cluster(machine("a"), services=(of,), tasks=(old,))
    assert Board(state).place(wanted(of), 1)[0] is not None
    beside = replace(of, update=UpdatePolicy(order="start-first"))
    found, reason = Board(state).place(wanted(beside), 1)
    assert (found, reason) == (
        None,
        "waits for a machine (1 node: 1 has too few CPUs free (it reserves 3) while shop-web-1 goes on, which stops "
        "once this serves)",
    )
    against = Board(state).explain(wanted(beside), 1)["a"]
    assert ["update_config.order: stop-first" in one.remedy for one in against] == [True, True]
    leaving = replace(state, tasks={"t1": replace(old, desired="stop")})
    assert "goes on" not in Board(leaving).place(wanted(beside), 1)[1]


def test_of_what_others_hold_the_slots_own_task_is_not_accused():
    of = spec(reserved=Resources(cpus=3.0), update=UpdatePolicy(order="start-first"))
    heavy = spec("heavy", reserved=Resources(cpus=2.0))
    tasks = running(id="w1", node="a"), running(id="w2", slot=2, node="b"), running(id="h", service="heavy", node="c")
    state = cluster(*map(machine, "abc"), services=(of, heavy), tasks=tasks)
    board, one = Board(state), wanted(of)
    few = "too few CPUs free (it reserves 3)"
    for slot in (1, 2):
        assert board.place(one, slot)[1] == (
            f"waits for a machine (3 nodes: 2 have {few}, 1 has {few} while shop-web-{slot} goes on, which stops once "
            "this serves)"
        )
    full = replace(state, tasks={**state.tasks, "h1": running(id="h1", service="heavy", slot=2, node="a")})
    assert Board(full).place(one, 1)[1].startswith(f"waits for a machine (3 nodes: 3 have {few})")
    everywhere = replace(of, mode="global")
    found, reason = Board(state).place(wanted(everywhere), 1, only="a")
    assert (found, reason) == (
        None,
        f"waits for a, which has {few} while shop-web-1 goes on, which stops once this serves",
    )


def test_no_machine_has_more_replicas_than_it_may():
    of = spec(placement=Placement(max_replicas_per_node=1))
    state = cluster(machine("a"), machine("b"), services=(of,))
    assert sorted(fill(state, of, 2)) == ["a", "b"]
    two = tuple(running(id=f"t{n}", slot=n, node="ab"[n - 1]) for n in (1, 2))
    found, reason = Board(cluster(machine("a"), machine("b"), services=(of,), tasks=two)).place(wanted(of), 3)
    assert found is None
    assert "2 have 1 of its tasks, the most that one may have" in reason


def test_services_that_share_a_network_stay_together():
    db, web = (spec(name, networks=(Attachment("back"),)) for name in ("db", "web"))
    placed = running(id="d", service="db", node="b", addresses={"shop_back": "10.0.0.2"})
    state = cluster(machine("a"), machine("b"), services=(db, web), tasks=(placed,))
    assert fill(state, web, 3) == ["b", "b", "b"]
    gone = replace(state, nodes={**state.nodes, "b": machine("b", status="down")})
    assert fill(gone, web, 1) == ["a"]


def test_replicas_of_a_service_that_is_alone_on_its_network_spread():
    of = spec(networks=(Attachment("default"),))
    assert Counter(fill(cluster(machine("a"), machine("b"), machine("c"), services=(of,)), of, 30)) == {
        "a": 10,
        "b": 10,
        "c": 10,
    }


def test_a_task_goes_where_the_data_of_its_volume_is_and_else_waits():
    of = spec(mounts=(Mount("volume", "/data", "data"),))
    volumes = {"data": VolumeSpec("shop_data")}
    state = cluster(machine("a"), machine("b", volumes=("shop_data",)), services=(of,), volumes=volumes)
    assert fill(state, of, 2) == ["b", "b"]
    down = replace(state, nodes={**state.nodes, "b": machine("b", volumes=("shop_data",), status="down")})
    assert why_not(down, of) == (
        "waits for a machine (2 nodes: 1 is not b, which holds the data of volume shop_data, 1 is down: ready)"
    )


# -- score -----------------------------------------------------------------------------------------------------------


def test_what_shares_a_network_with_data_stays_with_that_though_its_machine_is_down():
    attached = (Attachment("default"),)
    db = spec("db", networks=attached, mounts=(Mount("volume", "/data", "data"),))
    web = spec("web", networks=attached)
    down = machine("rome", status="down", message="silent", volumes=("shop_data",))
    state = cluster(down, machine("oslo"), services=(db, web), volumes={"data": VolumeSpec("shop_data")})
    assert "is not rome, which holds the data of volume shop_data" in why_not(state, web)
    assert fill(state, spec("alone", networks=(Attachment("back"),)), 1) == ["oslo"]


def test_of_machines_that_a_task_is_tied_to_it_gets_the_one_with_the_least_on_it():
    db, heavy = spec("db", mounts=(Mount("volume", "/data", "data"),)), spec("heavy", reserved=Resources(cpus=2.0))
    holders = (machine(name, volumes=("shop_data",)) for name in "ab")
    state = cluster(
        *holders,
        services=(db, heavy),
        tasks=(running(id="h", service="heavy", node="a"),),
        volumes={"data": VolumeSpec("shop_data")},
    )
    assert fill(state, db, 1) == ["b"]


def test_of_two_machines_with_a_volume_of_that_name_the_one_counts_where_the_task_writes():
    db = spec("db", mounts=(Mount("volume", "/data", "data"),))
    down = machine("rome", status="down", message="silent", volumes=("shop_data",))
    task = running(node="rome", service="db", forsaken=True, unknown="silent")
    state = cluster(
        down,
        machine("oslo", volumes=("shop_data",)),
        services=(db,),
        tasks=(task,),
        volumes={"data": VolumeSpec("shop_data")},
    )
    assert "is not rome, which holds the data of volume shop_data" in why_not(state, db)


def test_replicas_that_were_stopped_start_again_where_each_has_its_data():
    db = spec("db", mounts=(Mount("volume", "/data", "data"),), replicas=2)
    ended = [
        running(id=f"t{n}", slot=slot, node=there, service="db", state="stopped", desired="stop", created_at=NOW + n)
        for n, (slot, there) in enumerate([(1, "a"), (1, "b"), (2, "b"), (2, "a")])
    ]
    holders = (machine(name, volumes=("shop_data",)) for name in "ab")
    state = cluster(*holders, services=(db,), tasks=tuple(ended), volumes={"data": VolumeSpec("shop_data")})
    assert fill(state, db, 2) == ["b", "a"]


def test_what_keeps_one_slot_from_a_machine_is_not_said_of_another_whose_data_is_elsewhere():
    db = spec("db", mounts=(Mount("volume", "/data", "data"),), update=UpdatePolicy(order="start-first"))
    down = machine("rome", status="down", message="silent", volumes=("shop_data",))
    there = running(node="rome", service="db", unknown="silent"), running(id="t2", slot=2, node="oslo", service="db")
    state = cluster(
        down,
        machine("oslo", volumes=("shop_data",)),
        services=(db,),
        tasks=there,
        volumes={"data": VolumeSpec("shop_data")},
    )
    board, one = Board(state), wanted(db)
    assert "is not rome, which holds the data" in board.place(one, 1)[1]
    assert board.place(one, 2) == (state.nodes["oslo"], "")


def test_what_is_said_while_a_predecessor_is_away_is_not_said_of_another_slot():
    of = spec(placement=Placement(max_replicas_per_node=1), reserved=Resources(cpus=8.0))
    state = cluster(machine("a"), services=(of,), tasks=(running(node="a"),))
    board, one = Board(state), wanted(of)
    assert "1 has too few CPUs free" in board.place(one, 1)[1]
    assert "1 has 1 of its tasks, the most" in board.place(one, 2)[1]


def test_an_image_that_was_built_runs_where_it_was_built_and_else_waits():
    of = spec(image="shop-web", image_id="sha256:abc", built_on="a")
    state = cluster(machine("a"), machine("b"), machine("c"), services=(of,))
    assert fill(state, of, 3) == ["a", "a", "a"]
    drained = replace(state, nodes={**state.nodes, "a": machine("a", availability="drain")})
    assert why_not(drained, of) == (
        "waits for a machine (3 nodes: 2 lack image shop-web, which was built on a, 1 is draining)"
    )
    gone = replace(state, nodes={"b": machine("b")})
    assert "1 lacks image shop-web, which was built on a node that is gone" in why_not(gone, of)


def test_what_shares_a_network_goes_where_an_image_of_theirs_was_built_though_more_run_elsewhere():
    attached = (Attachment("default"),)
    web = spec("web", image="shop-web", networks=attached, image_id="sha256:abc", built_on="b")
    db = spec("db", networks=attached)
    state = cluster(machine("a"), machine("b"), services=(web, db))
    assert fill(state, db, 1) == ["b"]
    before = running(id="t1", service="db", node="a", addresses={"shop_default": "10.0.0.2"})
    assert fill(replace(state, tasks={"t1": before}), web, 1) == ["b"]
    down = replace(state, nodes={**state.nodes, "b": machine("b", status="down", message="silent")})
    assert why_not(down, db) == (
        "waits for a machine (2 nodes: 1 lacks image shop-web, which was built on b, 1 is down: silent)"
    )


def test_the_least_reserved_machine_is_taken_first():
    of = spec(reserved=Resources(memory=GB))
    heavy = spec("heavy", reserved=Resources(memory=6 * GB))
    state = cluster(
        machine("a"), machine("b"), services=(of, heavy), tasks=(running(id="h", service="heavy", node="a"),)
    )
    assert fill(state, of, 1) == ["b"]


def test_tasks_spread_over_the_values_of_a_label():
    of = spec(placement=Placement(spread=("node.labels.zone",)))
    east = [machine(name, labels={"zone": "east"}) for name in ("a", "b", "c")]
    state = cluster(*east, machine("d", labels={"zone": "west"}), services=(of,))
    went = Counter(fill(state, of, 6))
    assert went["d"] == 3


def test_the_second_label_is_spread_over_within_each_value_of_the_first():
    of = spec(placement=Placement(spread=("node.labels.zone", "node.labels.rack")))
    places = {"a": ("east", "1"), "b": ("east", "2"), "c": ("east", "2"), "d": ("west", "1")}
    nodes = [machine(name, labels={"zone": zone, "rack": rack}) for name, (zone, rack) in places.items()]
    went = Counter(fill(cluster(*nodes, services=(of,)), of, 8))
    assert went == {"d": 4, "a": 2, "b": 1, "c": 1}


def test_a_machine_is_filled_before_the_next_where_that_is_preferred():
    of = spec(reserved=Resources(cpus=1.0), placement=Placement(binpack=True))
    heavy = spec("heavy", reserved=Resources(cpus=2.0))
    state = cluster(
        machine("a"), machine("b"), services=(of, heavy), tasks=(running(id="h", service="heavy", node="b"),)
    )
    assert fill(state, of, 6) == ["b", "b", "a", "a", "a", "a"]
    apart = replace(of, placement=Placement(binpack=True, spread=("node.id",)))
    assert fill(state, apart, 4) == ["b", "a", "b", "a"]


def test_of_two_machines_with_as_much_on_them_the_one_is_taken_that_has_the_image():
    of = spec(image="redis")
    ended = running(id="x", node="b", service="web", slot=9, state="stopped", desired="stop", container_id="c")
    assert fill(cluster(machine("a"), machine("b"), services=(of,), tasks=(ended,)), of, 1) == ["b"]
    assert fill(cluster(machine("a"), machine("b"), services=(of,)), of, 1) == ["a"]
    never = replace(ended, container_id="")
    assert fill(cluster(machine("a"), machine("b"), services=(of,), tasks=(never,)), of, 1) == ["a"]


def test_a_task_keeps_away_from_a_service_and_that_from_it():
    shy = spec("cache", placement=Placement(("node.services != web",)))
    web = spec("web")
    state = cluster(machine("a"), machine("b"), services=(shy, web), tasks=(running(id="w", node="a"),))
    assert fill(state, shy, 2) == ["b", "b"]
    cached = cluster(machine("a"), services=(shy, web), tasks=(running(id="c", service="cache", node="a"),))
    assert why_not(cached, web) == (
        "waits for a machine (1 node: 1 has a task of shop/cache, which keeps away from it)"
    )
    both = cluster(machine("a"), services=(shy, web), tasks=(running(id="w", node="a"),))
    assert "1 has a task of shop/web, which it keeps away from" in why_not(both, shy)


def test_of_two_that_keep_away_from_a_task_the_same_one_is_named_whichever_came_first():
    shy = [spec(name, placement=Placement(("node.services != web",))) for name in ("db", "cache")]
    web = spec("web")
    tasks = [running(id=one.name, service=one.name, node="a") for one in shy]
    for order in (tasks, tasks[::-1]):
        state = cluster(machine("a"), services=(*shy, web), tasks=tuple(order))
        board = Board(replace(state, tasks={}))
        for one in order:
            board.take(one, state.spec_of(one))
        assert "1 has a task of shop/cache, which keeps away from it" in board.place(wanted(web), 1)[1]


def test_a_task_goes_where_one_of_another_service_is_and_else_waits_for_that():
    near = spec("cache", placement=Placement(("node.services in (web, blog/db)",)))
    state = cluster(machine("a"), machine("b"), services=(near, spec("web")))
    assert why_not(state, near) == "waits for a machine (2 nodes: 2 have no task of blog/db or shop/web)"
    there = replace(state, tasks={"w": running(id="w", node="b")})
    assert fill(there, near, 2) == ["b", "b"]


def test_no_gpu_is_given_twice():
    def asking(count: int) -> ServiceSpec:
        return spec(privileges=Privileges(requests=(DeviceRequest(count=count, capabilities=("gpu",)),)))

    two = machine("b", gpus=(Gpus("nvidia.com/gpu", "discovered", 2), Gpus("GPU", "declared", 1)))
    state = cluster(machine("a", gpu_runtime="nvidia"), two, services=(asking(1),))
    assert fill(state, asking(1), 2) == ["b", "b"]
    busy = replace(state, tasks={"t": running(id="t", node="b", slot=9, gpus=("nvidia.com/gpu=0",))})
    assert fill(busy, asking(1), 1) == ["b"]
    assert why_not(busy, asking(-1)) == "waits for a machine (2 nodes: 2 have too few GPUs free (it asks for all))"
    assert fill(state, asking(-1), 1) == ["b"]
    whole = replace(cluster(two, services=(asking(-1),)), tasks={"t": running(id="t", node="b", slot=9)})
    assert "1 has too few GPUs free (it asks for 1)" in why_not(whole, asking(1))
    told = [one.remedy for against in Board(busy).explain(wanted(asking(2)), 1).values() for one in against]
    assert told == [
        "its engine does not say how many it has: node-generic-resources in a's daemon.json does",
        "1 of 2 free (nvidia.com/gpu=0, nvidia.com/gpu=1): move other tasks off it",
    ]


def test_tenths_of_cpus_add_up_to_one():
    of = spec(reserved=Resources(cpus=0.1), placement=Placement(("stack.name == shop",)))
    state = cluster(machine("a", cpus=1), services=(of,))
    assert fill(state, of, 10) == ["a"] * 10
    other = replace(of, placement=Placement(("stack.name == blog",)))
    assert why_not(state, other) == "waits for a machine (1 node: 1 is not for stack blog)"


def test_what_would_change_it_is_said_of_each_machine():
    of = spec(
        reserved=Resources(cpus=2.0, memory=9 * GB),
        placement=Placement(("node.labels.gpu == nvidia", "node.role == worker", "node.labels.spot not exists")),
    )
    held = running(id="h", service="heavy", node="a")
    heavy = spec("heavy", reserved=Resources(cpus=3.0))
    state = cluster(machine("a", labels={"spot": "y"}, availability="pause"), services=(of, heavy), tasks=(held,))
    told = Board(state).explain(wanted(of), 1)["a"]
    assert [(one.why, one.remedy) for one in told] == [
        ("are paused", "`gbnt node update a --availability active`"),
        ("lack label gpu=nvidia", "`gbnt node update a --label-add gpu=nvidia`"),
        ("are not node.role worker", "`gbnt node demote a`"),
        ("have label spot", "`gbnt node update a --label-rm spot`"),
        ("have too few CPUs free (it reserves 2)", "1 of 4 free: reserve less, or move other tasks off it"),
        (
            "have too little memory free (it reserves 9000 MB)",
            "8000 MB of 8000 MB free: reserve less, for it has no more memory",
        ),
    ]


@given(
    sizes=st.lists(st.tuples(st.integers(1, 8), st.integers(1, 16)), min_size=1, max_size=6),
    cpus=st.sampled_from([None, 0.5, 1.0, 2.0]),
    memory=st.sampled_from([None, GB, 3 * GB]),
    labels=st.lists(st.sampled_from(["x", "y"]), min_size=6, max_size=6),
    count=st.integers(1, 30),
    constraint=st.sampled_from(["", "node.labels.l == x", "node.labels.l != x"]),
)
def test_never_over_capacity_never_against_a_constraint_and_never_without_a_true_reason(
    sizes, cpus, memory, labels, count, constraint
):
    of = spec(reserved=Resources(cpus, memory), placement=Placement((constraint,) if constraint else ()))
    nodes = [
        machine(f"n{n}", cpus=size[0], memory=size[1] * GB, labels={"l": labels[n]}) for n, size in enumerate(sizes)
    ]
    state = cluster(*nodes, services=(of,))
    board, held = Board(state), Counter[str]()

    def fits(one: Node) -> bool:
        allowed = not constraint or (one.labels["l"] == "x") is ("==" in constraint)
        number = held[one.id] + 1
        return allowed and (cpus or 0) * number <= one.cpus and (memory or 0) * number <= one.memory

    for slot in range(1, count + 1):
        found, reason = board.place(wanted(of), slot)
        if found is None:
            assert not any(map(fits, nodes))
            assert reason.startswith(f"waits for a machine ({len(nodes)} node")
            break
        assert fits(found)
        held[found.id] += 1
        board.take(running(id=f"new{slot}", slot=slot, node=found.id), of)
    if not (cpus or memory or constraint):
        assert max(held[one.id] for one in nodes) - min(held[one.id] for one in nodes) <= 1


def test_a_platform_and_an_engine_that_is_too_old_turn_machines_away():
    old = machine("a", os="linux", arch="amd64", engine_api="1.41", engine_version="20.10")
    new = machine("b", os="linux", arch="arm64", engine_api="1.44", engine_version="25.0")
    arm = spec(platform="linux/arm64/v8")
    assert fill(cluster(old, new, services=(arm,)), arm, 2) == ["b", "b"]
    checked = spec(healthcheck=Healthcheck(start_interval=1.0))
    assert fill(cluster(old, new, services=(checked,)), checked, 2) == ["b", "b"]
    found, reason = Board(cluster(old, services=(checked,))).place(wanted(checked), 1)
    assert found is None
    assert "1 has an engine too old for healthcheck.start_interval" in reason
