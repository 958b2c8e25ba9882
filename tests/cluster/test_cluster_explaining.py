"""Why a task is where it is, or nowhere, machine by machine."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.explaining import Explanation, explain_service, explain_task
from cluster.model import State, revision_key
from cluster.placement import Board
from cluster.spec import Placement, Resources
from tests.cluster.build import node, running, service, spec, task

WEB = spec("web", placement=Placement(("node.labels.disk == ssd",)), reserved=Resources(cpus=1.0))
STATE = State(
    nodes={
        "a": node(id="a", name="rome", cpus=2, memory=1),
        "b": node(id="b", name="oslo", cpus=2, memory=1, labels={"disk": "ssd"}),
        "c": node(id="c", name="bern", cpus=2, memory=1, labels={"disk": "ssd"}, availability="drain"),
    },
    services={"shop/web": service(spec=WEB)},
    revisions={revision_key("shop/web", "r1"): WEB},
)


def words(explained: Explanation) -> dict[str, tuple[str, list[str]]]:
    return {one.node: (one.word, [reason.why for reason in one.reasons]) for one in explained.nodes}


def test_of_a_service_it_is_said_where_another_task_would_go_and_why_not_elsewhere():
    explained = explain_service(STATE, STATE.services["shop/web"])
    assert (explained.subject, explained.sentence) == ("shop/web", "another task would go to oslo")
    assert words(explained) == {
        "bern": ("no", ["is draining"]),
        "oslo": ("best", []),
        "rome": ("no", ["lacks label disk=ssd"]),
    }
    remedies = [reason.remedy for one in explained.nodes for reason in one.reasons]
    assert remedies == [
        "`gbnt node update bern --availability active`",
        "`gbnt node update rome --label-add disk=ssd`",
    ]


def test_a_task_that_waits_says_the_sentence_of_its_list_and_what_it_asks_of_each_machine():
    full = replace(STATE, tasks={f"t{n}": running(id=f"t{n}", slot=n, node="b") for n in (1, 2)})
    _, reason = Board(full).place(full.services["shop/web"], 3)
    waiting = task(id="t3", slot=3, node="", state="pending", message=reason)
    full = replace(full, tasks={**full.tasks, "t3": waiting})
    explained = explain_task(full, waiting)
    assert explained.sentence == reason
    assert words(explained)["oslo"] == ("no", ["has too few CPUs free (it reserves 1)"])
    assert explain_service(full, full.services["shop/web"]).sentence == f"1 of 1 tasks: {reason}"
    beside = replace(full, tasks={id: one for id, one in full.tasks.items() if id != "t3"})
    assert explain_service(beside, beside.services["shop/web"]).sentence == (
        f"another task would {reason.replace('waits', 'wait')}"
    )


@pytest.mark.parametrize(
    ("stands", "sentence"),
    [
        ({"state": "preparing", "message": "waits for db to start"}, "is on oslo, waits for db to start"),
        ({"state": "running", "message": "running", "unknown": "it is down"}, "is on oslo, it is down"),
        ({"state": "running", "message": "unhealthy", "health": "unhealthy"}, "is on oslo, unhealthy"),
        ({"state": "failed", "message": "exit 1"}, "is on oslo, exit 1"),
        ({"state": "assigned"}, "is on oslo, assigned"),
    ],
)
def test_a_task_that_is_on_a_machine_and_does_not_serve_says_why(stands: dict[str, Any], sentence: str):
    assert explain_task(STATE, task(node="b", **stands)).sentence == sentence


def test_what_tasks_of_a_service_wait_for_is_said_once_with_how_many_do():
    waits = {"state": "preparing", "message": "waits for db to start"}
    tasks = [task(id="t1", node="b", **waits), running(id="t2", slot=2, node="b"), task(id="t3", node="a", **waits)]
    tasks += [task(id="t4", slot=4, node="", state="pending", message="waits for a machine (why)")]
    state = replace(STATE, tasks={one.id: one for one in tasks})
    several = service(spec=WEB, replicas=4)
    sentence = "2 of 4 tasks: waits for db to start; 1 of 4 tasks: waits for a machine (why)"
    assert explain_service(state, several).sentence == sentence
    everywhere = service(spec=replace(WEB, mode="global"), replicas=4)
    assert explain_service(state, everywhere).sentence.endswith(f"a task on 4 of 3 machines; {sentence}")


def test_of_many_reasons_the_most_frequent_are_said():
    told = (1, 1, 2, 3, 4, 5)
    tasks = [task(id=f"t{n}", slot=n, state="preparing", message=f"reason {said}") for n, said in enumerate(told)]
    state = replace(STATE, tasks={one.id: one for one in tasks})
    assert explain_service(state, service(spec=WEB, replicas=6)).sentence == (
        "2 of 6 tasks: reason 1; 1 of 6 tasks: reason 2; 1 of 6 tasks: reason 3; 2 more for other reasons"
    )


def test_of_a_global_service_it_is_said_where_it_is_and_why_not_elsewhere():
    everywhere = service(spec=replace(WEB, mode="global"), replicas=1)
    state = replace(STATE, services={"shop/web": everywhere}, tasks={"t1": running(id="t1", node="b")})
    explained = explain_service(state, everywhere)
    assert explained.sentence == "is global: it is to have a task on 1 of 3 machines"
    assert {node: word for node, (word, _) in words(explained).items()} == {"bern": "no", "oslo": "here", "rome": "no"}


def test_a_task_that_has_a_machine_is_there_and_what_it_holds_would_be_free_for_its_successor():
    placed = running(id="t1", node="b")
    state = replace(STATE, tasks={"t1": placed})
    explained = explain_task(state, placed)
    assert (explained.subject, explained.sentence) == ("shop-web-1", "is on oslo")
    assert words(explained)["oslo"] == ("here", [])
    gone = replace(state, services={})
    assert explain_task(gone, placed) == Explanation("shop-web-1", "is on oslo", ())
