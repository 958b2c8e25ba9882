"""Which machines count as down, and when their tasks are replaced."""

from dataclasses import replace

from cluster.assignment import Observation
from cluster.company import stays
from cluster.decide.decision import Decided, Refusal
from cluster.decide.legion import update_legion
from cluster.decide.nodes import lose_node, report_node
from cluster.decide.replacement import confirm_loss, pause
from cluster.decide.tasks import carry_out, take_in
from cluster.model import Node, NodeStatus, Stack, State, revision_key
from cluster.presence import (
    AT_ONCE,
    GATHERING,
    GRACE,
    HOLD,
    PAUSED,
    Judgement,
    Loss,
    Presence,
    Watch,
    alarm,
    judge,
    pause_above,
)
from cluster.reconcile import AddTask, DesireTask, Reconciled, reconcile
from cluster.spec import Mount, VolumeSpec
from tests.cluster.build import NOW, entropy, node, running, service, spec, stack, task

OWN = node(id="n0", name="rome-0")


def worker(number: int, **fields: object) -> Node:
    return node(id=f"n{number}", name=f"rome-{number}", role="worker", **fields)


def judged(nodes: list[Node], now: float = NOW, paused: str = "", /, **seen: Presence) -> Judgement:
    return judge([OWN, *nodes], Watch(OWN.id, 0.0, seen), now, paused)


def after_restart(nodes: list[Node], passed: float, paused: str = "", /, **seen: Presence) -> Judgement:
    """So many seconds after a manager began anew."""
    return judge([OWN, *nodes], Watch(OWN.id, NOW, seen), NOW + passed, paused)


def down(since: float = NOW, **fields: object) -> Presence:
    return Presence("down", since, **{"reason": "silent", "ups": 1, **fields})  # type: ignore[arg-type]


UP, SUSPECT = Presence("up", NOW, ups=1), Presence("suspect", NOW, ups=1)


def test_a_machine_that_is_up_or_only_suspect_is_not_lost():
    assert judged([worker(1), worker(2)], n1=UP, n2=SUSPECT).losses == ()


def test_a_silent_machine_is_lost_and_its_tasks_are_replaced():
    assert judged([worker(1), worker(2)], n1=down(), n2=UP).losses == (Loss("n1", "silent", True),)


def test_what_the_state_knows_already_is_no_news():
    lost = worker(1, status="down", message="silent", replaced=True)
    assert judged([lost, worker(2)], n1=down(), n2=UP).losses == ()


def test_a_planned_stop_is_held():
    early = judged([worker(1), worker(2)], NOW + HOLD - 1, n1=down(left=True), n2=UP)
    late = judged([worker(1), worker(2)], NOW + HOLD, n1=down(left=True), n2=UP)
    assert early.losses == (Loss("n1", "stopped by plan; its tasks are replaced in 60 s", False, "plan"),)
    assert late.losses == (Loss("n1", "stopped by plan", True, "plan"),)


def ailing(nodes: list[Node], passed: float, *ids: str) -> Judgement:
    """So many seconds after the engines of those machines went away; their links are up."""
    seen = {node.id: UP for node in nodes}
    return judge([OWN, *nodes], Watch(OWN.id, 0.0, seen, dict.fromkeys(ids, NOW)), NOW + passed, "")


def test_a_machine_whose_engine_does_not_answer_is_lost_after_a_hold():
    nodes = [worker(1, status="unavailable"), worker(2), worker(3)]
    assert ailing(nodes, HOLD - 1, "n1") == Judgement((), "")
    assert ailing(nodes, HOLD, "n1").losses == (Loss("n1", "its engine has not answered for 60 s", True, "engine"),)
    assert ailing([replace(nodes[0], replaced=True), *nodes[1:]], HOLD, "n1").losses == ()
    assert [loss.node for loss in ailing(nodes, HOLD, OWN.id).losses] == [OWN.id]
    many = ailing(nodes, HOLD, "n1", "n2", "n3")
    assert many.paused.startswith("no tasks are replaced: 3 of 4 machines were lost at once")
    assert many.losses == ()


def test_where_there_is_but_one_machine_nothing_is_replaced_elsewhere():
    assert ailing([], HOLD, OWN.id) == Judgement((), "")


def test_who_was_not_heard_of_yet_has_a_grace():
    nodes = [worker(1), worker(2)]
    for seen in ({"n2": UP}, {"n1": down(NOW + 5, ups=0), "n2": UP}):
        assert after_restart(nodes, GRACE - 1, **seen).losses == ()
        assert [loss.replaced for loss in after_restart(nodes, GRACE, **seen).losses] == [True]


def test_a_pause_outlives_the_manager_that_began_it():
    nodes = [worker(number, status="down", message="silent; why") for number in (1, 2)]
    for passed in (0.0, GRACE - 1, GRACE, GRACE + AT_ONCE + 1):
        judgement = after_restart(nodes, passed, "why")
        assert judgement.paused == "why"
        assert not any(loss.replaced for loss in judgement.losses)
    assert after_restart(nodes, 1.0, "why", n1=UP, n2=UP).paused == ""
    first = after_restart(nodes, GATHERING, "why", n1=UP)
    assert (first.paused, [loss.replaced for loss in first.losses]) == ("", [True])


def test_the_hold_of_a_planned_stop_outlives_the_manager_that_began_it():
    words = "stopped by plan; its tasks are replaced in 60 s"
    held = worker(1, status="down", message=words, planned=True)
    assert after_restart([held, worker(2)], HOLD - 1, n2=UP) == Judgement((), "")
    assert after_restart([held, worker(2)], HOLD, n2=UP).losses == (Loss("n1", "stopped by plan", True, "plan"),)


def test_machines_that_were_replaced_are_not_among_those_that_may_be_lost():
    dead = [worker(number, status="down", message="silent", replaced=True) for number in range(5, 10)]
    seen = {f"n{number}": down() for number in range(1, 10)}
    judgement = judged([*(worker(number) for number in range(1, 5)), *dead], **seen)
    assert judgement.paused.startswith("no tasks are replaced: 4 of 5 machines were lost at once")
    some = judged([*(worker(number) for number in range(1, 5)), *dead], **{**seen, "n1": UP, "n2": UP})
    assert (some.paused, [loss.replaced for loss in some.losses]) == ("", [True, True])


def test_where_most_machines_stopped_by_plan_and_stay_away_nothing_is_replaced():
    nodes = [worker(number) for number in range(1, 4)]
    seen = {f"n{number}": down(NOW + number, left=True) for number in range(1, 4)}
    assert judged(nodes, NOW + HOLD, **seen).paused == ""
    late = judged(nodes, NOW + 1 + HOLD, **seen)
    assert late.paused.startswith("no tasks are replaced: 3 of 4 machines were lost at once")
    assert not any(loss.replaced for loss in late.losses)
    assert judged(nodes, NOW + 600, late.paused, **seen).paused == late.paused
    far = {f"n{number}": down(NOW + number * (AT_ONCE + 5), left=True) for number in range(1, 4)}
    assert judged(nodes, NOW + AT_ONCE + 5 + HOLD, **far).paused == ""


def test_the_first_of_many_to_be_down_counts_those_that_are_suspect():
    judgement = judged([worker(1), worker(2)], n1=down(), n2=SUSPECT)
    assert judgement.paused.startswith("no tasks are replaced: 2 of 3 machines were lost at once")
    assert judgement.losses == (Loss("n1", f"silent; {judgement.paused}", False),)


def test_one_after_the_other_is_not_at_once():
    gone = worker(1, status="down", message="silent", replaced=True)
    judgement = judged([gone, worker(2)], n1=down(NOW - 600), n2=down())
    assert judgement == Judgement((Loss("n2", "silent", True),), "")


def test_a_pause_ends_when_they_are_back_or_a_person_says_so():
    nodes = [worker(1), worker(2)]
    later = NOW + 600
    assert judged(nodes, later, "why", n1=down(), n2=down()).paused == "why"
    assert judged(nodes, later, "why", n1=down(), n2=UP) == Judgement((Loss("n1", "silent", True),), "")
    gone = [worker(number, status="down", message="a person confirmed its loss", replaced=True) for number in (1, 2)]
    confirmed = judged(gone, NOW, n1=down(), n2=down())
    assert confirmed == Judgement((Loss("n1", "silent", True), Loss("n2", "silent", True)), "")


def test_a_pause_waits_for_the_others_when_the_first_of_many_is_back():
    nodes = [worker(1), worker(2)]
    since, later = NOW + 600, NOW + 600 + GATHERING
    first = Presence("up", since, ups=2)
    assert judged(nodes, later - 1, "why", n1=down(), n2=first) == Judgement((Loss("n1", "silent; why", False),), "why")
    assert judged(nodes, later, "why", n1=down(), n2=first) == Judgement((Loss("n1", "silent", True),), "")
    assert judged(nodes, since, "why", n1=first, n2=first).paused == ""


def test_people_choose_how_many_may_be_lost_at_once():
    nodes = [worker(1), worker(2), worker(3)]
    seen = {"n1": down(), "n2": UP, "n3": UP}
    for above, pauses in ((50, False), (25, False), (24, True), (0, True)):
        assert bool(judge([OWN, *nodes], Watch(OWN.id, 0.0, seen), NOW, "", above).paused) is pauses
    every = dict.fromkeys(("n1", "n2", "n3"), down())
    assert judge([OWN, *nodes], Watch(OWN.id, 0.0, every), NOW, "why", 100).paused == ""
    assert judge([OWN, *nodes], Watch(OWN.id, 0.0, every), NOW, "", 100).paused == ""


def test_the_alarm_names_the_command_that_ends_the_pause():
    words = judged([worker(1), worker(2)], n1=down(), n2=down()).paused
    assert words.endswith("if they are really gone: `gbnt legion confirm-loss`")
    state = cluster(settings={PAUSED: words})
    assert alarm(state.settings) == words
    confirmed = state.after(confirm_loss(lost(state), NOW).changes)
    assert alarm(confirmed.settings) == ""


def test_a_loss_is_confirmed_of_those_that_are_down_by_then():
    state = cluster()
    assert confirm_loss(state, NOW) == Decided(told={"replacement": "is not paused: nothing to confirm"})
    state = lost(state.after(pause(state, "most are gone").changes), replaced=False)
    decided = confirm_loss(state, NOW)
    assert decided.told == {"rome-1": "1 task replaced elsewhere from now on"}
    state = state.after(decided.changes)
    assert {node.id: node.replaced for node in state.nodes.values()} == {"n1": True, "n2": False}
    assert state.tasks["t1"].forsaken
    assert PAUSED not in state.settings
    assert alarm(state.after(pause(state, "most are gone").changes).settings) == "most are gone"


def test_what_finds_no_machine_elsewhere_is_not_said_to_be_replaced():
    state = cluster()
    one = state.services["shop/web"]
    bound = replace(one, spec=spec(mounts=(Mount("volume", "/data", "data"),)))
    file = replace(stack(bound.spec), networks={}, volumes={"data": VolumeSpec("shop_data")})
    state = replace(
        state,
        nodes={"n1": worker(1, volumes=("shop_data",)), "n2": worker(2)},
        stacks={"shop": Stack("shop", file, NOW, NOW)},
        services={one.key: bound},
    )
    state = lost(state.after(pause(state, "most are gone").changes), replaced=False)
    assert confirm_loss(state, NOW).told == {
        "rome-1": "0 tasks replaced elsewhere from now on, 1 waits for a machine: `gbnt task ls` says why"
    }


def test_the_threshold_is_a_setting():
    state = cluster()
    changed = update_legion(state, 80, None)
    assert isinstance(changed, Decided)
    after = state.after(changed.changes)
    assert (pause_above(state.settings), pause_above(after.settings)) == (50, 80)
    assert isinstance(update_legion(after, 101, None), Refusal)
    same, back = update_legion(after, 80, None), update_legion(after, 50, None)
    assert isinstance(same, Decided)
    assert isinstance(back, Decided)
    assert same.changes == ()
    assert after.after(back.changes).settings == {}


def cluster(**fields: object) -> State:
    """A service of one replica on n1, and n2 beside it."""
    one = service(spec=spec())
    file = replace(stack(spec()), networks={})
    return State(
        nodes={"n1": worker(1), "n2": worker(2)},
        stacks={"shop": Stack("shop", file, NOW, NOW)},
        services={one.key: one},
        tasks={"t1": running()},
        revisions={revision_key(one.key, one.revision): one.spec},
        **fields,  # type: ignore[arg-type]
    )


def planned(state: State) -> Reconciled:
    return reconcile(state.services["shop/web"], state.tasks_of("shop/web"), NOW)


def carried_out(state: State) -> State:
    return state.after(carry_out(state, state.services["shop/web"], planned(state), entropy()).changes)


def lost(state: State, *, replaced: bool = True) -> State:
    return state.after(lose_node(state, "n1", "silent", replaced, NOW).changes)


def back(state: State) -> State:
    reported = report_node(state, worker(1))
    assert isinstance(reported, Decided)
    return state.after(reported.changes)


def test_tasks_of_a_lost_machine_are_unknown_and_serve_no_more():
    state = lost(cluster(), replaced=False)
    assert (state.tasks["t1"].standing, state.tasks["t1"].state) == ("unknown", "running")
    assert not state.tasks["t1"].serving
    assert planned(state).empty


def test_the_replacement_takes_the_slot_once_it_has_a_machine():
    state = carried_out(lost(cluster()))
    old, new = state.tasks["t1"], state.tasks["id1"]
    assert (old.state, old.desired, old.standing) == ("lost", "remove", "lost")
    assert (new.node, new.slot, new.desired, new.state) == ("n2", 1, "run", "assigned")
    assert planned(state).empty


def test_a_task_that_was_moving_is_lost_with_its_machine_for_the_new_one_goes_on():
    heir = task(id="t2", node="n2", created_at=NOW + 1)
    state = cluster()
    state = lost(replace(state, tasks={**state.tasks, "t2": heir}))
    assert (state.tasks["t1"].state, state.tasks["t1"].why) == ("lost", "it runs on rome-2 since")
    assert state.tasks["t2"] == heir
    assert planned(state).empty
    assert back(state).nodes["n1"].status == "returning"


def test_a_replacement_without_a_machine_is_dropped_when_the_first_is_back():
    state = cluster()
    state = lost(replace(state, nodes={"n1": state.nodes["n1"]}))
    state = carried_out(state)
    assert (state.tasks["t1"].state, state.tasks["id1"].state) == ("running", "pending")
    state = back(state)
    assert state.tasks["t1"].serving
    assert planned(state).desires == (DesireTask("id1", "remove", "the one before it goes on"),)
    assert list(carried_out(state).tasks) == ["t1"]


def test_nothing_is_placed_while_replacement_pauses():
    state = lost(cluster())
    state = carried_out(state.after(pause(state, "most are gone").changes))
    assert (state.tasks["id1"].node, state.tasks["id1"].message) == ("", "most are gone")
    state = state.after(pause(state, "").changes)
    assert PAUSED not in state.settings
    assert planned(state).adds == (AddTask(1, "run", ""),)
    assert carried_out(state).tasks["id1"].node == "n2"


def test_a_judgement_from_before_the_pause_replaces_nothing():
    state = cluster()
    state = lost(state.after(pause(state, "most are gone").changes))
    assert (state.nodes["n1"].status, state.nodes["n1"].replaced) == ("down", False)
    assert not state.tasks["t1"].forsaken


def test_a_machine_that_is_back_is_ready_once_it_put_away_what_is_lost():
    state = back(carried_out(lost(cluster())))
    assert state.nodes["n1"].status == "returning"
    running_still = Observation("t1", 1, "running", "stopping", NOW, 1)
    state = state.after(take_in(state, "n1", [running_still]).changes)
    assert state.tasks["t1"].state == "lost"
    gone = replace(running_still, sequence=2, state="stopped", removed=True)
    decided = take_in(state, "n1", [gone])
    assert [happening.kind for happening in decided.happenings] == ["task.removed", "node.ready"]
    state = state.after(decided.changes)
    assert (state.nodes["n1"].status, list(state.tasks)) == ("ready", ["id1"])


def test_a_plan_that_is_older_than_the_return_replaces_nothing():
    away = lost(cluster())
    plan = planned(away)
    state = back(away)
    assert carry_out(state, state.services["shop/web"], plan, entropy()).changes == ()


def reported(state: State, status: NodeStatus, message: str = "") -> State:
    decided = report_node(state, worker(1, status=status, message=message))
    assert isinstance(decided, Decided)
    return state.after(decided.changes)


def test_tasks_of_a_machine_whose_engine_does_not_answer_serve_no_more_until_it_does():
    state = reported(cluster(), "unavailable", "the engine is gone")
    assert (state.tasks["t1"].standing, state.tasks["t1"].unknown) == ("unknown", "the engine is gone")
    assert planned(state).empty
    assert reported(state, "ready").tasks == cluster().tasks


def test_a_machine_whose_engine_stays_away_is_replaced_and_is_not_told_down():
    state = reported(cluster(), "unavailable", "the engine is gone")
    state = state.after(lose_node(state, "n1", "for long", True, NOW, "engine").changes)
    assert (state.nodes["n1"].status, state.nodes["n1"].replaced) == ("unavailable", True)
    again = reported(reported(state, "starting"), "unavailable", "the engine is still gone")
    assert again.nodes["n1"].replaced
    moved = carried_out(again)
    assert (moved.tasks["t1"].state, moved.tasks["id1"].node) == ("lost", "n2")
    assert reported(moved, "ready").nodes["n1"].status == "returning"


def test_nobody_is_kept_company_by_what_is_replaced():
    node = worker(1, status="unavailable")
    assert stays(node)
    assert not stays(replace(node, replaced=True))


def test_an_engine_that_answers_by_now_is_not_lost():
    assert lose_node(cluster(), "n1", "for long", True, NOW, "engine").changes == ()


def test_the_loss_of_machines_without_an_engine_is_confirmed_with_the_others():
    state = reported(cluster(settings={PAUSED: "most are gone"}), "unavailable", "the engine is gone")
    assert confirm_loss(state, NOW + HOLD - 1).told == {"replacement": "goes on"}
    confirmed = state.after(confirm_loss(state, NOW + HOLD).changes)
    assert (confirmed.nodes["n1"].status, confirmed.nodes["n1"].replaced) == ("unavailable", True)


def test_a_machine_that_nobody_knows_cannot_be_lost():
    assert lose_node(State(), "n9", "silent", True, NOW).changes == ()


def test_a_task_that_ended_is_not_unknown():
    state = cluster()
    state = lost(replace(state, tasks={"t1": task(state="complete")}))
    assert state.tasks["t1"].standing == "complete"
