"""What people decide on machines, and how tasks move off one that is being emptied."""

from dataclasses import replace

import pytest

from cluster.decide.decision import Decided, Decision, Refusal
from cluster.decide.machines import Wanted, find_node, leave_node, remove_node, update_node
from cluster.decide.nodes import report_node
from cluster.leaving import leavers
from cluster.membership import may_leave
from cluster.model import Node, Stack, State, Task, revision_key
from cluster.placement import Board
from cluster.reconcile import AddTask, DesireTask, Reconciled, reconcile
from cluster.spec import Mount, Placement, ServiceSpec, VolumeSpec
from tests.cluster.build import NOW, node, running, service, spec, stack, state_with, task

WORKER = node(id="n2", name="rome-2", role="worker", labels={"disk": "ssd"})
CLUSTER = state_with(node(), WORKER)


def updated(decision: Decision, id: str = "n2") -> Node:
    assert isinstance(decision, Decided)
    return CLUSTER.after(decision.changes).nodes[id]


def done(decision: Decision) -> Decided:
    assert isinstance(decision, Decided), decision
    return decision


def refused(decision: Decision) -> str:
    assert isinstance(decision, Refusal)
    return decision.message


def test_availability_and_labels_change_and_the_rest_stays():
    after = updated(update_node(CLUSTER, "rome-2", Wanted("drain", {"gpu": "nvidia"}, ("disk",))))
    assert after == replace(WORKER, availability="drain", labels={"gpu": "nvidia"})


def test_a_machine_is_called_by_its_name_its_id_or_a_beginning_of_that():
    here, there = node(id="abc1", name="rome"), node(id="abd2", name="rome")
    state = state_with(here, there, node(id="x", name="abc"))
    assert [find_node(state, word) for word in ("abc1", "abd", "abc")] == [here, there, state.nodes["x"]]
    assert [find_node(state, word) for word in ("rome", "ab")] == [
        Refusal("conflict", '2 nodes are called "rome": give the id of one (abc1, abd2)'),
        Refusal("conflict", '2 nodes are called "ab": give the id of one (abc1, abd2)'),
    ]
    assert find_node(state, "") == Refusal("not_found", 'there is no node ""; `gbnt node ls` shows what is there')


def test_what_is_so_already_writes_nothing():
    decision = update_node(CLUSTER, "n2", Wanted("active", {"disk": "ssd"}, ("gpu",)))
    assert isinstance(decision, Decided)
    assert decision.changes == ()


def test_tasks_that_no_longer_fit_their_machine_are_told_of_and_stay():
    placed = spec(placement=Placement(("node.labels.disk == ssd", "node.role == worker")))
    tasks = [running(id=f"t{slot}", slot=slot, node="n2") for slot in range(1, 6)]
    tasks += [running(id="t6", slot=6), running(id="t7", slot=7, node="n2", state="failed")]
    revisions = {revision_key("shop/web", "r1"): placed}

    def told(wanted: Wanted, *there: Task) -> str:
        state = replace(CLUSTER, tasks={one.id: one for one in there}, revisions=revisions)
        decided = done(update_node(state, "rome-2", wanted))
        assert [change.table for change in decided.changes] == ["nodes"]
        return decided.told["rome-2"]

    assert told(Wanted(unlabel=("disk",)), tasks[0], *tasks[5:]) == (
        "labels changed; 1 task there no longer fits: shop-web-1 stays until it is replaced"
    )
    assert told(Wanted(labels={"disk": "hdd"}), *tasks) == (
        "labels changed; 5 tasks there no longer fit: shop-web-1, shop-web-2, shop-web-3 and 2 more stay until replaced"
    )
    assert told(Wanted(role="manager"), tasks[0]).endswith("no longer fits: shop-web-1 stays until it is replaced")
    assert told(Wanted(labels={"gpu": "nvidia"}), *tasks) == "labels changed"


@pytest.mark.parametrize(
    ("reference", "wanted", "words"),
    [
        ("rome-3", Wanted(), 'there is no node "rome-3"; did you mean "rome-2"?'),
        ("rome-2", Wanted("lazy"), "there is no lazy: choose one of active, pause, drain, maintenance"),
        ("rome-2", Wanted(labels={"a b": "1"}), 'no constraint could name a label "a b": use letters, digits, and'),
        ("rome-2", Wanted(labels={"": "1"}), 'no constraint could name a label ""'),
        ("rome-2", Wanted(labels={"a\n": "1"}), "no constraint could name a label"),
    ],
)
def test_a_wrong_order_is_refused_with_what_would_be_right(reference: str, wanted: Wanted, words: str):
    assert words in refused(update_node(CLUSTER, reference, wanted))


def test_a_machine_goes_only_when_it_is_down_and_empty_or_by_force():
    assert "`gbnt legion leave` there takes it out, or stop gbnt there first" in refused(
        remove_node(CLUSTER, "rome-2", False, NOW)
    )
    down = State(nodes={"n2": replace(WORKER, status="down")}, tasks={"t1": running(node="n2")})
    assert "has 1 task: `gbnt node update rome-2 --availability drain` first" in refused(
        remove_node(down, "rome-2", False, NOW)
    )
    forced = remove_node(down, "rome-2", True, NOW)
    assert isinstance(forced, Decided)
    after = down.after(forced.changes)
    assert not after.nodes
    assert after.departed["n2"].at == NOW
    assert not after.tasks
    assert "is the last manager" in refused(remove_node(CLUSTER, "rome", True, NOW))


def test_a_role_is_what_people_decide():
    after = CLUSTER.after(done(update_node(CLUSTER, "rome-2", Wanted(role="manager"), "n1")).changes)
    assert after.nodes["n2"].role == "manager"
    assert done(report_node(after, replace(WORKER, message="new"))).changes[0].entity.role == "manager"  # type: ignore[union-attr]
    assert "demote it first, `gbnt node demote rome-2`" in refused(remove_node(after, "rome-2", True, NOW, "n1"))
    told = done(update_node(CLUSTER, "rome-2", Wanted(role="manager"), "n1")).told
    assert "does not vote yet" in told["rome-2"]
    assert updated(update_node(after, "rome-2", Wanted(role="worker"), "n1")) == WORKER


def test_the_manager_that_is_needed_stays_one():
    demote = Wanted(role="worker")
    assert "is the last manager" in refused(update_node(CLUSTER, "rome", demote, "n1"))
    two = state_with(node(), replace(WORKER, role="manager"))
    assert "is the manager that serves" in refused(update_node(two, "rome", demote, "n1"))
    assert "is the manager that serves" in refused(remove_node(two, "rome", True, NOW, "n1"))
    assert done(update_node(two, "rome-2", demote, "n1")).changes


def test_a_machine_that_leaves_is_emptied_first_and_then_forgotten():
    state = replace(CLUSTER, tasks={"t1": running(node="n2")})
    first = done(leave_node(state, "n2", False, NOW, "n1"))
    state = state.after(first.changes)
    assert state.nodes["n2"].availability == "drain"
    assert done(leave_node(state, "n2", False, NOW, "n1")).changes == ()
    state = replace(state, tasks={"t1": running(node="n2", state="stopped", desired="stop")})
    state = state.after(done(leave_node(state, "n2", False, NOW, "n1")).changes)
    assert (list(state.nodes), list(state.departed)) == (["n1"], ["n2"])
    assert done(leave_node(state, "n2", False, NOW, "n1")) == Decided()
    assert may_leave(state, "n2")
    assert not may_leave(state, "n3")


def test_by_force_a_machine_leaves_at_once_and_a_manager_never():
    state = replace(CLUSTER, tasks={"t1": running(node="n2")})
    gone = state.after(done(leave_node(state, "n2", True, NOW, "n1")).changes)
    assert (list(gone.nodes), gone.tasks) == (["n1"], {})
    assert "is the last manager" in refused(leave_node(state, "n1", True, NOW, "n1"))
    two = state_with(node(), replace(WORKER, role="manager"))
    assert "demote it first" in refused(leave_node(two, "n2", False, NOW, "n1"))


def test_work_that_is_done_is_remembered_when_its_machine_goes():
    down = State(nodes={"n2": replace(WORKER, status="down")}, tasks={"t1": task(node="n2", state="complete")})
    decision = remove_node(down, "rome-2", False, NOW)
    assert isinstance(decision, Decided)
    assert list(down.after(decision.changes).tasks) == ["t1"]


DB = spec("db", mounts=(Mount("volume", "/data", "data"),))


def with_data(*nodes: Node, of: ServiceSpec = DB, **fields: object) -> State:
    """Machines, and a stack with one service, whose volume those have that say so."""
    shop = Stack("shop", stack(of, volumes={"data": VolumeSpec("shop_data")}), NOW, NOW)
    return replace(state_with(*nodes), stacks={"shop": shop}, services={"shop/db": service(spec=of, **fields)})


def test_a_machine_with_the_data_of_a_service_goes_by_force_alone_and_what_is_given_up_is_said():
    holder = replace(WORKER, status="down", volumes=("shop_data",))
    state = with_data(node(), holder, stopped=True)
    assert refused(remove_node(state, "rome-2", False, NOW)) == (
        "node rome-2 has the data of volume shop_data (shop/db): remove what uses it, or give it up by force (--force)"
    )
    forced = done(remove_node(state, "rome-2", True, NOW))
    words = "removed; gives up volume shop_data of shop/db: it begins empty elsewhere"
    assert (forced.told, [one.message for one in forced.happenings]) == ({"rome-2": words}, [words])
    after = state.after(forced.changes)
    assert Board(after).place(after.services["shop/db"], 1) == (node(), "")
    copied = done(remove_node(with_data(node(volumes=("shop_data",)), holder), "rome-2", True, NOW))
    assert copied.told["rome-2"].endswith("shop/db: what rome has by that name counts now")


def test_a_machine_with_the_data_of_a_service_that_stands_still_leaves_by_force_alone():
    state = with_data(node(), replace(WORKER, volumes=("shop_data",)), stopped=True)
    assert "has the data of volume shop_data (shop/db)" in refused(leave_node(state, "n2", False, NOW, "n1"))
    assert "it begins empty elsewhere" in done(leave_node(state, "n2", True, NOW, "n1")).told["rome-2"]


def test_data_that_no_service_would_miss_keeps_no_machine():
    holder = replace(WORKER, status="down", volumes=("shop_data",))
    everywhere = replace(DB, mode="global")
    for state in (
        with_data(node(), holder, removing=True),
        with_data(node(), holder, of=everywhere),
        with_data(node(), holder, of=spec("db")),
        with_data(node(), replace(holder, volumes=("blog_data",))),
    ):
        assert done(remove_node(state, "rome-2", False, NOW)).told == {"rome-2": "removed"}


def moved(*tasks: Task, **fields: object) -> Reconciled:
    of = service(replicas=len({one.slot for one in tasks}), **fields)
    return reconcile(of, tasks, NOW, {"n1"})


def test_tasks_move_one_by_one_the_new_one_first():
    one, two = running(), running(id="t2", slot=2)
    assert [(add.slot, add.desired) for add in moved(one, two).adds] == [(1, "run")]
    heir = task(id="t3", node="n2", created_at=NOW + 1)
    assert moved(one, two, heir).empty
    serves = replace(heir, state="running")
    steps = moved(one, two, serves)
    assert steps.desires == (DesireTask("t1", "stop", "moved to another machine"),)
    gone = replace(one, desired="stop", state="stopped")
    assert [add.slot for add in moved(gone, two, serves).adds] == [2]
    assert steps.update is None


def test_the_next_one_waits_until_the_last_one_serves():
    gone = running(desired="stop", state="stopped")
    heir = task(id="t3", node="n2", created_at=NOW + 1, state="starting")
    assert moved(gone, heir, running(id="t2", slot=2)).empty


def test_one_with_a_volume_stops_first_once_the_new_one_could_start():
    of = spec(mounts=(Mount("volume", "/data", "data"),))
    old = running()
    [add] = moved(old, spec=of).adds
    assert add.desired == "ready"
    assert "share a volume" in add.message
    heir = task(id="t3", node="n2", desired="ready", created_at=NOW + 1)
    assert moved(old, heir, spec=of).empty
    assert moved(old, replace(heir, ready=True), spec=of).desires == (
        DesireTask("t1", "stop", "moved to another machine"),
    )


def test_an_heir_that_an_update_made_runs_once_nothing_but_the_one_that_leaves_is_left():
    """It waits for the older revision to stop, which it has; the one that leaves would wait for it to serve."""
    old, heir = running(), task(id="t3", node="n2", desired="ready", ready=True, created_at=NOW + 1)
    older = running(id="t0", revision="r0", desired="stop", node="n3")
    assert moved(older, old, heir).empty
    stopped = replace(older, state="stopped")
    assert moved(stopped, old, heir).desires == (DesireTask("t3", "run", ""),)


def test_one_that_was_not_to_run_yet_leaves_at_once():
    waits, heir = task(desired="ready"), task(id="t3", node="n2", desired="ready", created_at=NOW + 1)
    assert moved(waits, heir).desires == (DesireTask("t1", "stop", "moved to another machine"),)


def test_of_two_of_one_slot_that_are_to_leave_the_one_that_serves_moves():
    serves, starts = running(id="t2", created_at=NOW + 1), task()
    steps = moved(starts, serves)
    assert [(add.slot, add.desired) for add in steps.adds] == [(1, "run")]
    assert steps.desires == (DesireTask("t1", "remove", "the one before it goes on"),)


def test_what_does_not_serve_moves_at_once():
    ill = running(id="t2", slot=2, state="preparing")
    assert [add.slot for add in moved(running(), ill).adds] == [1, 2]


def test_a_task_that_waits_for_a_machine_is_asked_for_again_while_the_old_one_goes_on():
    pending = task(id="t3", node="", state="pending", created_at=NOW + 1)
    steps = moved(running(), pending)
    assert steps.desires == ()
    assert steps.adds == (AddTask(1, "run", ""),)


def test_of_two_that_a_slot_has_after_all_one_goes():
    heir = task(id="t3", node="n2", created_at=NOW + 1)
    assert reconcile(service(), [running(), heir], NOW).desires == (
        DesireTask("t3", "remove", "the one before it goes on"),
    )


def test_work_that_was_done_before_it_could_move_is_not_done_twice_though_both_machines_are_left():
    done, heir = task(state="complete"), task(id="t3", node="n2", state="complete", created_at=NOW + 1)
    steps = reconcile(service(), [done, heir], NOW, {"n1", "n2"})
    assert steps.desires == (DesireTask("t3", "remove", "the one before it goes on"),)
    assert steps.adds == ()


def left(*tasks: Task, **fields: object) -> list[tuple[str, str, bool]]:
    """What is said of those that are still on n1, which is being emptied."""
    here = node(availability="drain", **fields)
    state = replace(state_with(here, WORKER), tasks={one.id: one for one in tasks})
    return [(leaver.task.id, leaver.words, leaver.stuck) for leaver in leavers(state, here)]


def test_each_task_that_has_not_left_says_what_it_waits_for():
    one, two, heir = running(), running(id="t2", slot=2), task(id="t3", node="n2", state="preparing", message="getting")
    waits = "waits for its turn: of a service one task moves at a time"
    assert left(one, two) == [("t1", waits, False), ("t2", waits, False)]
    assert left(one, heir) == [("t1", "its successor on rome-2 is preparing: getting", False)]
    failing = replace(heir, problem="no such image")
    assert left(one, failing) == [("t1", "its successor on rome-2 is preparing: no such image", True)]
    assert left(one, two, failing)[1] == ("t2", waits, True)
    crashed = replace(heir, state="starting", message="again", problem="exit 1", crashes=1)
    assert left(one, crashed) == [("t1", "its successor on rome-2 is starting: exit 1", False)]
    assert left(one, replace(crashed, crashes=2)) == [("t1", "its successor on rome-2 is starting: exit 1", True)]
    assert left(one, replace(heir, state="running")) == [("t1", "stops next: the one on rome-2 serves", False)]
    pending = task(id="t3", node="", state="pending", message="waits for a machine (why)", problem="(why)")
    assert left(one, pending) == [("t1", "waits for a machine (why)", True)]
    stopping = replace(one, desired="stop", why="moved to another machine")
    assert left(stopping, heir) == [("t1", "stops: moved to another machine", False)]
    assert left(replace(one, unknown="silent")) == [("t1", "silent", True)]


def test_what_ended_has_left_and_a_machine_that_nobody_empties_is_left_by_none():
    assert left(task(state="complete"), running(id="t2", node="n2")) == []
    assert leavers(replace(CLUSTER, tasks={"t1": running(node="n2")}), WORKER) == []
