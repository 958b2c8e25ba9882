"""What was ordered remembers by which request, and so does what follows from it."""

from dataclasses import replace

from cluster.decide.decision import Decided, Decision, Happening
from cluster.decide.services import scale
from cluster.decide.signing import signed
from cluster.decide.tasks import carry_out, stop_task
from cluster.model import Change, Service, Stack, State, Task
from cluster.reconcile import AddTask, DesireTask, Reconciled
from tests.cluster.build import NOW, entropy, node, running, service, spec, stack


def ordered(request: str) -> State:
    """A service as a request left it, with a task that an older one brought about."""
    made = replace(service(spec=spec(), replicas=2), request=request)
    return State(
        stacks={"shop": Stack("shop", stack(spec()), NOW, NOW)},
        services={made.key: made},
        tasks={"t1": running(request="older")},
        nodes={"n1": node()},
        revisions={"shop/web@r1": spec()},
    )


def good(decision: Decision) -> Decided:
    assert isinstance(decision, Decided)
    return decision


def signatures(decided: Decided) -> dict[str, str]:
    """By which request each service and task that it changes is as it is."""
    return {one.key: one.entity.request for one in decided.changes if isinstance(one.entity, Service | Task)}


def test_services_and_events_are_signed_and_nothing_else_is():
    decided = good(scale(ordered("older"), "shop/web", 5, entropy()))
    others = (Change("nodes", "n1", node()), Change("tasks", "t9", None))
    now = signed(replace(decided, changes=(*decided.changes, *others)), "r1")
    assert signatures(now) == {"shop/web": "r1"}
    assert now.changes[-2:] == others
    assert [happening.request for happening in now.happenings] == ["r1"]


def test_without_a_request_what_is_signed_stays_so():
    decided = Decided((Change("tasks", "t1", running(request="r1")),), (Happening("task.running", "t1", "", "r1"),))
    assert signed(decided, "") is decided


def test_what_a_service_adds_and_ends_goes_back_to_its_request():
    state = ordered("r2")
    plan = Reconciled(adds=(AddTask(2, "run", ""),), desires=(DesireTask("t1", "stop", "replaced"),))
    decided = carry_out(state, state.services["shop/web"], plan, entropy())
    assert set(signatures(decided).values()) == {"r2"}
    assert len(signatures(decided)) == 2
    assert {happening.request for happening in decided.happenings} == {"r2"}


def test_a_task_that_is_stopped_by_hand_is_signed_by_that_hand():
    assert signatures(signed(good(stop_task(ordered("r2"), "t1")), "r3")) == {"t1": "r3"}
