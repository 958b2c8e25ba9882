"""Who holds on to a volume or a network, and when a volume may go."""

from __future__ import annotations

from dataclasses import replace

from cluster.decide.decision import Decided, Happening, Refusal
from cluster.decide.volumes import remove_volume
from cluster.holding import holders, tasks_by_network, tasks_by_volume
from cluster.model import Stack, State, revision_key
from cluster.revisions import StackRevision
from cluster.spec import Mount, VolumeSpec
from tests.cluster.build import NOW, node, running, spec, stack

DATA = Mount("volume", "/data", "data")


def shop(*tasks, volumes=None, named: bool = True, **fields) -> State:
    """Two machines that have `shop_data`, a stack whose file names it or not, and tasks that mount the key `data`."""
    file = stack(spec(mounts=(DATA,)), volumes={"data": VolumeSpec("shop_data")})
    present = file if named else replace(file, volumes=volumes or {})
    return State(
        stacks={"shop": Stack("shop", present, NOW, NOW)},
        stack_revisions={"shop@1": StackRevision("shop", 1, NOW, "", {}, file)},
        nodes={id: node(id=id, name=name, volumes=("shop_data",)) for id, name in (("n1", "rome"), ("n2", "gaul"))},
        tasks={task.id: task for task in tasks},
        revisions={revision_key("shop/web", "r1"): spec(mounts=(DATA,))},
        **fields,
    )


def test_a_volume_is_given_up_on_every_machine_that_has_it_and_that_is_an_event():
    decision = remove_volume(shop(named=False), "shop_data")
    assert isinstance(decision, Decided)
    assert decision.changes == ()
    text = "given up with all data in it, on gaul, rome"
    assert decision.happenings == (Happening("volume.given-up", "shop_data", text),)
    assert holders(shop(), "shop_data") == ["n2", "n1"]


def test_one_that_a_stack_names_stays_and_the_refusal_says_what_to_do():
    decision = remove_volume(shop(), "shop_data")
    assert isinstance(decision, Refusal)
    assert (decision.code, "named by stack shop" in decision.message) == ("conflict", True)
    assert "`gbnt stack rm shop --volumes`" in decision.message


def test_one_of_a_stack_that_is_being_removed_is_waited_for():
    state = shop()
    leaving = replace(state, stacks={"shop": replace(state.stacks["shop"], removing=True)})
    decision = remove_volume(leaving, "shop_data")
    assert isinstance(decision, Refusal)
    assert "is being removed; ask again" in decision.message


def test_one_that_a_task_of_an_older_file_uses_stays_until_that_has_ended():
    decision = remove_volume(shop(running(), named=False), "shop_data")
    assert isinstance(decision, Refusal)
    assert "used by shop-web-1" in decision.message
    assert isinstance(remove_volume(shop(running(state="stopped"), named=False), "shop_data"), Decided)


def test_a_key_that_names_another_volume_now_holds_both_for_nobody_knows_which_a_task_has():
    moved = shop(running(), named=False, volumes={"data": VolumeSpec("other_data")})
    users = tasks_by_volume(moved)
    assert [[task.id for task in users[name]] for name in ("shop_data", "other_data")] == [["t1"], ["t1"]]


def test_one_that_is_nowhere_is_not_found_with_what_was_meant():
    decision = remove_volume(shop(named=False), "shop_dat")
    assert isinstance(decision, Refusal)
    assert (decision.code, "did you mean shop_data?" in decision.message) == ("not_found", True)


def test_tasks_are_on_the_networks_of_which_they_have_an_address():
    state = shop(running(addresses={"shop_default": "10.9.0.5"}), running(id="t2", state="failed", addresses={"x": ""}))
    assert {name: [task.id for task in tasks] for name, tasks in tasks_by_network(state).items()} == {
        "shop_default": ["t1"]
    }
