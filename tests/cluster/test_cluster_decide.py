"""The Senate's decisions: what is asked, on which state, comes to which changes or which refusal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.assignment import Observation
from cluster.decide import deploy, nodes, services, tasks
from cluster.decide.decision import Decided, Refusal
from cluster.model import State, Token
from cluster.reconcile import reconcile
from cluster.spec import NetworkSpec, Placement, Port, Resources, StackSpec, VolumeSpec
from tests.cluster.build import NOW, done, entropy, node, spec, stack, state_with


def deployed(spec_: StackSpec, state: State | None = None) -> State:
    state = state or state_with()
    return done(state, deploy.deploy(state, spec_, entropy()))


def settled(state: State, prefix: str = "x") -> State:
    """Let every service reconcile until nothing is left to do, with agents that do all at once."""
    numbers = iter(f"{prefix}{n}" for n in range(10_000))
    for _ in range(50):
        before = state
        for service in list(state.services.values()):
            steps = reconcile(service, state.tasks_of(service.key), NOW)
            state = done(state, tasks.carry_out(state, service, steps, replace(entropy(), new_id=numbers.__next__)))
        state = done(state, tasks.take_in(state, "n1", [_obeyed(state, id) for id in list(state.tasks)]))
        if state.tasks == before.tasks and state.services == before.services:
            return state
    raise AssertionError("it does not settle")


def _obeyed(state: State, id: str) -> Observation:
    task = state.tasks[id]
    at = {"run": "running", "ready": "preparing"}.get(task.desired, "stopped")
    if task.ended:
        at = task.state
    removed = task.desired == "remove"
    changed = (task.state, task.ready) != (at, task.desired in ("run", "ready")) or removed
    number = task.sequence + (1 if changed else 0)
    return Observation(id, number, at, "", NOW, 1, ready=not task.ended and at != "stopped", removed=removed)  # type: ignore[arg-type]


def test_a_task_s_machine_is_told_by_its_name() -> None:
    state = deployed(stack(spec("web")), state_with(node(id="n7", name="rome")))
    [web] = state.services.values()
    decision = tasks.carry_out(state, web, reconcile(web, [], NOW), entropy())
    assert [h.message for h in decision.happenings if h.kind == "task.created"] == ["on rome"]


def test_a_token_that_is_not_there_is_named_with_the_list_of_those_there_are() -> None:
    refused = nodes.revoke_token(state_with(), "ci")
    assert refused == Refusal("not_found", 'there is no token "ci"; `gbnt token ls` shows what is there')


def test_deploying_makes_services_networks_and_then_tasks_with_addresses_of_their_own() -> None:
    state = settled(deployed(stack(spec("web", replicas=3), spec("db"))))
    assert sorted(task.name for task in state.tasks.values()) == ["shop-db-1", "shop-web-1", "shop-web-2", "shop-web-3"]
    addresses = [task.addresses["shop_default"] for task in state.tasks.values()]
    assert len(set(addresses)) == 4
    assert state.networks["shop_default"].gateway not in addresses


def test_deploying_an_unchanged_file_writes_nothing() -> None:
    file = stack(spec("web", replicas=2))
    state = settled(deployed(file))
    again = deploy.deploy(state, file, entropy(NOW + 60))
    assert isinstance(again, Decided)
    assert (again.changes, again.happenings) == ((), ())
    assert again.told == {"web": "unchanged"}


def test_changing_one_service_replaces_its_tasks_and_no_others() -> None:
    state = settled(deployed(stack(spec("web"), spec("db"))))
    before = {task.name: task.id for task in state.tasks.values()}
    changed = deployed(stack(spec("web", environment={"A": "1"}), spec("db")), state)
    after = settled(changed, "y")
    running = {task.name: task.id for task in after.tasks.values() if task.serving}
    assert running["shop-db-1"] == before["shop-db-1"]
    assert running["shop-web-1"] != before["shop-web-1"]
    assert after.services["shop/web"].update == "completed"


def test_scaling_in_the_file_says_so_and_restarts_nothing() -> None:
    state = settled(deployed(stack(spec("web", replicas=1))))
    file = stack(spec("web", replicas=3))
    decision = deploy.deploy(state, file, entropy())
    assert isinstance(decision, Decided)
    assert decision.told == {"web": "scaled from 1 to 3"}
    after = settled(done(state, decision), "y")
    assert len(after.tasks) == 3
    assert set(state.tasks) <= set(after.tasks)


def test_a_service_that_left_the_file_goes_with_its_tasks_where_that_is_asked_for() -> None:
    state = settled(deployed(stack(spec("web"), spec("db"))))
    decision = deploy.deploy(state, stack(spec("web")), entropy(), prune=True)
    assert isinstance(decision, Decided)
    assert decision.told == {"web": "unchanged", "db": "removed"}
    after = settled(done(state, decision))
    assert set(after.services) == {"shop/web"}
    assert {task.service for task in after.tasks.values()} == {"web"}


def test_a_removed_stack_is_gone_when_no_machine_shows_its_networks_any_more() -> None:
    file = stack(spec("web"), volumes={"data": VolumeSpec("shop_data")})
    state = settled(deployed(file))
    state = done(state, nodes.report_node(state, node(networks=("shop_default",), volumes=("shop_data",))))
    removing = deploy.remove_stack(state, "shop", (), entropy())
    assert isinstance(removing, Decided)
    assert removing.detail == {"volumes_kept": "shop_data"}
    state = settled(done(state, removing))
    assert set(state.stacks) == {"shop"}
    assert not state.tasks
    state = done(state, nodes.report_node(state, node(networks=(), volumes=("shop_data",))))
    assert not state.stacks
    assert not state.networks


def test_a_machine_that_has_not_looked_yet_says_nothing_of_what_is_gone() -> None:
    state = settled(deployed(stack(spec("web"))))
    looked = node(networks=("shop_default",), stuck={"shop_default": "it is used"}, used_subnets=("10.1.0.0/16",))
    state = done(state, nodes.report_node(state, looked))
    state = settled(done(state, deploy.remove_stack(state, "shop", (), entropy())))
    for status in ("starting", "unavailable"):
        state = done(state, nodes.report_node(state, node(status=status)))
        assert set(state.stacks) == {"shop"}
        assert state.nodes["n1"] == replace(looked, status=status, since=state.nodes["n1"].since)
    assert not done(state, nodes.report_node(state, node())).stacks


def test_named_volumes_go_only_when_named_and_the_stack_waits_for_that() -> None:
    file = stack(spec("web"), volumes={"data": VolumeSpec("shop_data")})
    state = done(settled(deployed(file)), nodes.report_node(state_with(), node(volumes=("shop_data",))))
    refused = deploy.remove_stack(state, "shop", ("other",), entropy())
    assert isinstance(refused, Refusal)
    assert "shop_data" in refused.message
    state = settled(done(state, deploy.remove_stack(state, "shop", ("shop_data",), entropy())))
    assert set(state.stacks) == {"shop"}
    assert not done(state, nodes.report_node(state, node())).stacks


def test_a_stack_that_is_being_removed_cannot_be_deployed_until_it_is_gone() -> None:
    state = settled(deployed(stack(spec("web"))))
    state = done(state, deploy.remove_stack(state, "shop", (), entropy()))
    refusal = deploy.deploy(state, stack(spec("web")), entropy())
    assert isinstance(refusal, Refusal)
    assert refusal.code == "conflict"


def test_a_port_of_another_stack_is_refused_naming_its_holder() -> None:
    state = deployed(stack(spec("web", ports=(Port(80, 8080),))))
    wanted = stack(spec("api", ports=(Port(81, 8081), Port(80, 8080))), name="other")
    refusal = deploy.deploy(state, wanted, entropy())
    assert isinstance(refusal, Refusal)
    assert refusal.message == (
        "service api publishes port 8080, which service shop/web holds: choose another port, or remove shop/web"
    )
    [problem] = refusal.problems
    assert (problem.path, problem.hint) == (("services", "api", "ports", 1), "choose another port, or remove shop/web")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"placement": Placement(("node.role == manager", "node.labels.a == b"))}, ("placement", "constraints", 1)),
        ({"reserved": Resources(cpus=99.0)}, ("resources", "reservations")),
    ],
)
def test_what_no_machine_can_have_is_refused_at_its_part_of_the_spec(fields: Any, path: tuple[str, ...]) -> None:
    refusal = deploy.deploy(
        state_with(node(cpus=4, memory=1 << 30)), stack(spec("db"), spec("web", **fields)), entropy()
    )
    assert isinstance(refusal, Refusal)
    [problem] = refusal.problems
    assert problem.path == ("services", "web", "deploy", *path)
    assert refusal.message == f"service web {problem.message}; {problem.hint}"


def test_what_people_said_no_to_is_refused_at_its_service() -> None:
    mighty, two = spec("web", privileged=True), state_with(node(), node(id="n2", name="gaul"))
    refusal = deploy.deploy(two, stack(spec("db"), mighty), entropy())
    assert isinstance(refusal, Refusal)
    assert [problem.path for problem in refusal.problems] == [("services", "web")]
    assert refusal.problems[0].message in refusal.message


def test_each_task_of_a_service_takes_one_port_of_a_range() -> None:
    state = settled(deployed(stack(spec("web", replicas=3, ports=(Port(80, 8080, 8089),)))))
    assert sorted(task.bindings[0].host_port for task in state.tasks.values()) == [8080, 8081, 8082]


def test_a_network_of_a_machine_is_left_alone_and_stacks_get_subnets_of_their_own() -> None:
    state = state_with(node(used_subnets=("10.201.0.0/24", "192.168.0.0/16")))
    state = settled(deployed(stack(spec("a"), name="one"), state))
    state = settled(deployed(stack(spec("a"), name="two"), state), "y")
    subnets = {network.subnet for network in state.networks.values()}
    assert subnets == {"10.201.1.0/24", "10.201.2.0/24"}


def test_the_subnet_of_a_network_that_is_there_cannot_change() -> None:
    state = deployed(stack(spec("web"), networks={"default": NetworkSpec("shop_default", subnet="10.9.0.0/24")}))
    other = stack(spec("web"), networks={"default": NetworkSpec("shop_default", subnet="10.8.0.0/24")})
    refusal = deploy.deploy(state, other, entropy())
    assert isinstance(refusal, Refusal)
    assert "network shop_default has the subnet 10.9.0.0/24, which cannot change" in refusal.message
    assert [problem.path for problem in refusal.problems] == [("networks", "default")]


def test_stopping_by_hand_keeps_a_service_down_until_it_is_started() -> None:
    state = settled(deployed(stack(spec("web", replicas=2))))
    down = settled(done(state, services.hold(state, "shop/web", True, entropy())), "y")
    assert not any(task.serving for task in down.tasks.values())
    up = settled(done(down, services.hold(down, "shop/web", False, entropy())), "z")
    assert sum(task.serving for task in up.tasks.values()) == 2


def test_a_stopped_task_is_replaced_in_its_slot() -> None:
    state = settled(deployed(stack(spec("web", replicas=2))))
    victim = next(task for task in state.tasks.values() if task.slot == 2)
    after = settled(done(state, tasks.stop_task(state, "shop-web-2")), "y")
    assert after.tasks[victim.id].state == "stopped"
    assert sorted(task.slot for task in after.tasks.values() if task.serving) == [1, 2]


def test_a_plan_is_dropped_where_another_order_was_given_since() -> None:
    state = settled(deployed(stack(spec("web", replicas=2))))
    down = done(state, services.scale(state, "shop/web", 1, entropy(NOW + 1)))
    plan = reconcile(down.services["shop/web"], down.tasks_of("shop/web"), NOW + 1)
    assert [step.desired for step in plan.desires] == ["remove"]
    up = done(down, services.scale(down, "shop/web", 2, entropy(NOW + 2)))
    assert tasks.carry_out(up, down.services["shop/web"], plan, entropy(NOW + 2)) == Decided()
    assert tasks.carry_out(down, down.services["shop/web"], plan, entropy(NOW + 2)).changes


def test_a_plan_holds_though_something_was_said_of_the_update_since() -> None:
    state = settled(deployed(stack(spec("web"))))
    changed = deployed(stack(spec("web", image="web:2")), state)
    known = changed.services["shop/web"]
    plan = reconcile(known, changed.tasks_of("shop/web"), NOW)
    said = replace(changed, services={known.key: replace(known, update="updating", update_message="0 of 1 are new")})
    assert tasks.carry_out(said, known, plan, entropy()).changes


@pytest.mark.parametrize("replicas", [-1, 10_001])
def test_an_impossible_number_of_replicas_is_refused(replicas: int) -> None:
    state = deployed(stack(spec("web")))
    assert isinstance(services.scale(state, "shop/web", replicas, entropy()), Refusal)


def test_a_service_that_others_depend_on_is_not_removed_alone() -> None:
    from cluster.spec import Dependency

    state = deployed(stack(spec("web", depends_on=(Dependency("db"),)), spec("db")))
    refusal = services.remove(state, "shop/db", entropy())
    assert isinstance(refusal, Refusal)
    assert "web depends on db" in refusal.message


def test_an_unknown_name_is_refused_with_what_it_may_have_meant() -> None:
    refusal = services.scale(deployed(stack(spec("web"))), "shop/wbe", 2, entropy())
    assert isinstance(refusal, Refusal)
    assert "did you mean shop/web?" in refusal.message


def test_an_observation_from_the_past_changes_nothing_and_an_impossible_one_is_told() -> None:
    state = settled(deployed(stack(spec("web"))))
    (task,) = state.tasks.values()
    stale = Observation(task.id, task.sequence, "preparing", "", NOW, 1)
    assert tasks.take_in(state, "n1", [stale]).changes == ()
    backwards = Observation(task.id, task.sequence + 1, "preparing", "", NOW, 1)
    told = tasks.take_in(state, "n1", [backwards])
    assert told.changes == ()
    assert [h.kind for h in told.happenings] == ["task.illegal"]


def test_without_a_machine_tasks_wait_and_say_so() -> None:
    state = settled_pending(deployed(stack(spec("web")), State()))
    (task,) = state.tasks.values()
    assert (task.state, task.message) == ("pending", "waits for a machine: none is there yet")
    placed = done(state, nodes.report_node(state, node()))
    placed = settled(placed, "y")
    assert [t.state for t in placed.tasks.values()] == ["running"]


def test_what_waits_for_another_reason_is_told_to_wait_and_to_be_placed_only_once_it_is() -> None:
    state = settled_pending(deployed(stack(spec("web")), State()))
    drained = done(state, nodes.report_node(state, node(availability="drain")))
    told = tried_again(drained)
    assert [(one.kind, one.message) for one in told.happenings] == [
        ("task.waiting", "waits for a machine (1 node: 1 is draining)")
    ]
    drained = done(drained, told)
    assert tried_again(drained).happenings == ()
    told = tried_again(replace(drained, nodes={"n1": node()}))
    assert [(one.kind, one.message) for one in told.happenings] == [("task.placed", "on rome")]


def tried_again(state: State) -> Decided:
    service = state.services["shop/web"]
    decided = tasks.carry_out(state, service, reconcile(service, state.tasks_of("shop/web"), NOW), entropy())
    assert isinstance(decided, Decided)
    return decided


def settled_pending(state: State) -> State:
    return done(state, tried_again(state))


def test_what_was_revoked_is_remembered_and_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "KEPT_REVOKED", 3)
    state = state_with()
    for number in range(5):
        token = Token(f"t{number}", "brought", "admin", "hash", NOW)
        state = done(state, nodes.bring_token(state, token))
        state = done(state, nodes.revoke_token(state, token.id))
        assert isinstance(nodes.bring_token(state, token), Refusal)
    assert [nodes.is_revoked(state, f"t{number}") for number in range(5)] == [False, False, True, True, True]
