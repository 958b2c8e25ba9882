"""When a deploy has come to its end, and which."""

from dataclasses import replace

import pytest

from cluster.decide.decision import Refusal
from cluster.decide.deploy import deploy
from cluster.model import Stack, State
from cluster.progress import SETTLING, Converged, Failed, Removed, Waiting, obstacle, settled_at, verdict, watched
from cluster.spec import RestartPolicy
from tests.cluster.build import NOW, entropy, node, running, service, spec, stack, task

OLD = {"id": "old", "revision": "r0"}


def of(*tasks, **fields) -> State:
    """The shop with one service of these tasks."""
    one = service(**fields)
    return State(
        stacks={"shop": Stack("shop", stack(one.spec), NOW, NOW)},
        services={one.key: one},
        tasks={t.id: t for t in tasks},
    )


def test_all_replicas_serving_is_the_end():
    two = (running(), running(id="t2", slot=2))
    assert isinstance(verdict(of(*two, replicas=2), "shop"), Converged)


@pytest.mark.parametrize(
    "tasks",
    [
        (),
        (task(state="pending"),),
        (task(state="preparing", message="getting image busybox"),),
        (running(health="starting"),),
        (running(desired="ready"),),
        (running(revision="r0"),),
        (running(generation=9),),
        (running(), running(**OLD)),
        (running(), running(id="t2", slot=2)),
        (task(state="preparing", crashes=1, problem="exit 1"),),
        (running(health="unhealthy", problem="unhealthy"),),
    ],
    ids=[
        "no task",
        "pending",
        "pulling",
        "not yet healthy",
        "only readied",
        "older revision",
        "before a forced restart",
        "an old one is left",
        "too many",
        "first crash",
        "unhealthy once",
    ],
)
def test_it_waits_for_what_may_still_come_right(tasks):
    assert isinstance(verdict(of(*tasks), "shop"), Waiting)


def test_an_heir_that_finds_no_machine_fails_nothing_while_the_one_before_it_serves():
    heir = task(id="t2", node="", state="pending", problem="waits for a machine (1 node: 1 is draining)")
    drained = replace(of(running(), heir), nodes={"n1": node(availability="drain")})
    assert isinstance(verdict(drained, "shop"), Converged)
    newer = replace(of(running(revision="r0"), heir), nodes=drained.nodes)
    assert verdict(newer, "shop") == Failed(f"web.1: {heir.problem}", "t2")
    ended = replace(of(running(unknown="the engine is gone"), heir), nodes=drained.nodes)
    assert isinstance(verdict(ended, "shop"), Failed)


def test_an_old_task_that_is_on_its_way_out_is_not_waited_for():
    leaving = running(**OLD, desired="stop")
    assert isinstance(verdict(of(running(), leaving), "shop"), Converged)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (task(state="failed", message="exit 1; gave up after 3 tries"), "web.1: exit 1; gave up after 3 tries"),
        (task(state="rejected", message="no node fits"), "web.1: no node fits"),
        (task(state="pending", problem="waits for a machine"), "web.1: waits for a machine"),
        (task(state="preparing", crashes=2, problem="exit 1"), "web.1: keeps failing: exit 1"),
        (running(health="unhealthy", crashes=2, problem="unhealthy"), "web.1: keeps failing: unhealthy"),
        (task(state="preparing", problem="there is no image nope"), "web.1: there is no image nope"),
    ],
)
def test_it_ends_with_what_needs_a_person(one, words):
    assert verdict(of(one), "shop") == Failed(words, one.id)


@pytest.mark.parametrize(
    "one",
    [
        task(state="failed", message="exit 1", desired="stop"),
        task(state="failed", message="exit 1", revision="r0"),
        task(id="old", state="preparing", problem="no image", revision="r0"),
    ],
)
def test_what_is_no_longer_wanted_fails_nothing(one):
    fresh = running(id="new", slot=1)
    assert not isinstance(verdict(of(one, fresh), "shop"), Failed)


def test_one_off_work_is_done_when_it_ended_well():
    job = spec(restart=RestartPolicy("on-failure"))
    assert isinstance(verdict(of(task(state="complete"), spec=job), "shop"), Converged)
    assert isinstance(verdict(of(task(state="failed", message="exit 1"), spec=job), "shop"), Failed)


def test_a_service_that_has_to_run_is_not_done_when_it_ends():
    assert isinstance(verdict(of(task(state="complete")), "shop"), Waiting)


def test_a_service_that_is_held_counts_as_settled_once_it_is_down():
    assert isinstance(verdict(of(running(), stopped=True), "shop"), Waiting)
    assert isinstance(verdict(of(running(desired="stop"), stopped=True), "shop"), Converged)


def test_a_service_on_its_way_out_is_waited_for():
    assert isinstance(verdict(of(removing=True), "shop"), Waiting)


def test_a_failure_outweighs_what_waits_for_it():
    waiting = of(task(state="pending"))
    db = replace(service(spec=spec("db")), revision="r1")
    broken = task(id="db1", service="db", state="failed", message="exit 1")
    both = replace(waiting, services={**waiting.services, db.key: db}, tasks={**waiting.tasks, "db1": broken})
    assert verdict(both, "shop") == Failed("db.1: exit 1", "db1")


def test_a_stack_that_leaves_is_waited_for_until_it_is_gone():
    here = of(running())
    going = replace(here, stacks={"shop": replace(here.stacks["shop"], removing=True)})
    assert isinstance(verdict(going, "shop"), Waiting)
    assert isinstance(verdict(State(), "shop"), Removed)


def test_what_keeps_a_stack_from_being_gone_is_said_once_its_tasks_are():
    here = of(running())
    shop = replace(here.stacks["shop"], removing=True, remove_volumes=("shop_data",))
    stuck = {"shop_default": "a network", "shop_data": "a volume", "blog_default": "another stack's"}
    nodes = {"n1": node(stuck=stuck), "n2": node(id="n2", name="ostia")}
    going = replace(here, stacks={"shop": shop}, nodes=nodes)
    assert obstacle(going, "shop") == ""
    left = replace(going, services={}, tasks={})
    assert obstacle(left, "shop") == "on rome, a network; on rome, a volume"
    assert verdict(left, "shop") == Waiting("on rome, a network; on rome, a volume")
    assert obstacle(replace(left, nodes={}), "shop") == obstacle(here, "shop") == obstacle(State(), "shop") == ""


def test_a_task_on_a_machine_that_is_down_keeps_its_stack_from_being_gone_and_that_is_said():
    here = of(running(desired="remove"), running(id="t2", slot=2, node="n2", desired="remove"), removing=True)
    shop = replace(here.stacks["shop"], removing=True)
    nodes = {"n1": node(status="down"), "n2": node(id="n2", name="ostia")}
    going = replace(here, stacks={"shop": shop}, nodes=nodes)
    words = "shop-web-1 on rome, which is down: gone when that is back, or by `gbnt node rm rome --force`"
    assert (obstacle(going, "shop"), verdict(going, "shop")) == (words, Waiting(words))
    refused = deploy(going, shop.spec, entropy())
    assert isinstance(refused, Refusal)
    assert refused.message == f"stack shop is still being removed: {words}; deploy it again when it is gone"
    ailing = replace(going, nodes={"n1": node(status="unavailable")})
    assert "on rome, whose engine does not answer: gone when" in obstacle(ailing, "shop")
    assert obstacle(replace(going, nodes={"n1": node()}), "shop") == ""


def test_a_task_without_a_health_check_is_believed_a_moment_after_its_start() -> None:
    assert settled_at(of(running(started_at=NOW)), "shop") == NOW + SETTLING
    assert settled_at(of(running(started_at=NOW, health="healthy")), "shop") < NOW


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("a", "a has"),
        ("ab", "a and b have"),
        ("abc", "a, b and c have"),
        ("abcde", "a, b, c and 2 more have"),
    ],
)
def test_what_is_watched_is_named(names: str, words: str) -> None:
    tasks = {name: running(id=name, service=name, started_at=NOW) for name in names}
    services = {f"shop/{name}": service(spec=spec(name)) for name in names}
    state = State(stacks={"shop": Stack("shop", stack(), NOW, NOW)}, services=services, tasks=tasks)
    assert watched(state, "shop", NOW + 1) == f"watched for 5 s, since {words} no health check"
    assert watched(state, "shop", NOW + SETTLING) == ""
