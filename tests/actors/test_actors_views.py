"""What each machine must bring about is worked out in one pass over the tasks, however many machines there are."""

from collections import UserDict
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from actors.views import node_views, same_view
from cluster.assignment import Elsewhere, Gate
from cluster.model import NodeStatus, State, Task, revision_key
from cluster.naming import clients, names
from cluster.spec import Dependency
from tests.cluster.build import node, running, service, spec, state_with, task

WEB, DB = spec("web", depends_on=(Dependency("db", "service_healthy"),)), spec("db")


class Counted(UserDict[str, Task]):
    """Tasks that count how often each of them is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[str]:
        self.looks += len(self)
        return super().__iter__()


def shop(machines: int, tasks: Mapping[str, Task]) -> State:
    return replace(
        state_with(*(node(id=f"n{number}", name=f"rome-{number}") for number in range(1, machines + 1))),
        services={f"shop/{one.name}": service(spec=one) for one in (WEB, DB)},
        revisions={revision_key(f"shop/{one.name}", "r1"): one for one in (WEB, DB)},
        tasks=tasks,
    )


def test_each_machine_has_its_own_tasks_by_id_with_spec_and_gates():
    tasks = {"t2": task(id="t2"), "t1": task(), "t3": task(id="t3", service="db", node="n2")}
    views = node_views(shop(2, tasks))
    assert [one.task.id for one in views["n1"].assignments] == ["t1", "t2"]
    assert [(one.task.id, one.spec, one.gates) for one in views["n2"].assignments] == [("t3", DB, ())]
    assert views["n1"].assignments[0].gates == (Gate("shop/db", "service_healthy"),)


def elsewhere(state: State, node: str = "n1") -> tuple[Elsewhere, ...]:
    return node_views(state)[node].elsewhere


def database(node: str = "n2", **fields: object) -> Task:
    return running(id="t3", service="db", node=node, **fields)


def test_a_machine_is_told_how_far_what_its_tasks_wait_for_is_on_others_and_of_nothing_else():
    state = shop(3, {"t1": task(), "t3": database(health="healthy")})
    assert elsewhere(state) == (Elsewhere("shop/db", ("healthy",)),)
    assert elsewhere(state, "n2") == elsewhere(state, "n3") == ()
    assert elsewhere(shop(1, {"t1": task(), "t3": database("n1")})) == ()
    later = shop(3, {"t1": task(), "t3": database()})
    assert not same_view(node_views(state)["n1"], node_views(later)["n1"])
    assert same_view(node_views(state)["n3"], node_views(later)["n3"])


def test_replicas_are_told_by_what_they_have_come_to_and_one_without_a_machine_as_nothing():
    tasks = {f"t{n}": running(id=f"t{n}", slot=n, service="db", node=f"n{n}") for n in (2, 3)}
    pending = task(id="t4", slot=4, service="db", node="", state="pending")
    assert elsewhere(shop(3, {"t1": task(), **tasks})) == (Elsewhere("shop/db", ("unchecked",)),)
    assert elsewhere(shop(3, {"t1": task(), **tasks, "t4": pending})) == (Elsewhere("shop/db", ("", "unchecked")),)


def test_an_agent_of_an_older_release_is_told_what_is_complete():
    tasks = {f"t{n}": task(id=f"t{n}", slot=n, service="db", node=f"n{n}", state="complete") for n in (1, 2)}
    assert [view.completed for view in node_views(shop(2, tasks)).values()] == [("shop/db",), ("shop/db",)]
    half = {**tasks, "t2": replace(tasks["t2"], state="running")}
    assert [view.completed for view in node_views(shop(2, half)).values()] == [(), ()]


@pytest.mark.parametrize(
    "gone", [{"unknown": "its machine is down"}, {"state": "preparing"}, {"state": "failed"}, {"desired": "stop"}]
)
def test_what_is_not_known_to_be_up_opens_nothing(gone: dict[str, str]):
    state = shop(2, {"t1": task(), "t3": database(health="healthy", **gone)})
    assert not any(come for one in elsewhere(state) for come in one.reached)


@pytest.mark.parametrize(("status", "come"), [("starting", ""), ("returning", "healthy"), ("ready", "healthy")])
def test_a_machine_that_starts_has_to_look_before_what_was_up_there_counts(status: NodeStatus, come: str):
    state = shop(2, {"t1": task(), "t3": database(health="healthy")})
    state = replace(state, nodes={**state.nodes, "n2": replace(state.nodes["n2"], status=status)})
    assert [one.reached for one in elsewhere(state)] == [(come,)]


def test_what_is_not_required_is_not_waited_for_where_nothing_of_it_is_to_run():
    optional = replace(WEB, depends_on=(Dependency("db", required=False), Dependency("gone", required=False)))

    def gates(replicas: int) -> tuple[Gate, ...]:
        services = {"shop/web": service(spec=optional), "shop/db": service(spec=DB, replicas=replicas)}
        return node_views(replace(shop(1, {"t1": task()}), services=services))["n1"].assignments[0].gates

    assert gates(1) == (Gate("shop/db", "service_started"),)
    assert gates(0) == ()


def test_what_a_machine_reported_itself_is_no_news_to_it_and_what_is_wanted_is():
    before = node_views(shop(1, {"t1": task()}))["n1"]
    assert same_view(before, node_views(shop(1, {"t1": running()}))["n1"])
    assert not same_view(before, node_views(shop(1, {"t1": task(desired="stop")}))["n1"])
    assert not same_view(before, node_views(shop(1, {}))["n1"])


@pytest.mark.parametrize("work_out", [node_views, names, clients])
def test_more_machines_do_not_mean_more_looks_at_each_task(work_out):
    looks = []
    for machines in (2, 50):
        tasks = Counted({f"t{number}": running(id=f"t{number}", slot=number) for number in range(100)})
        work_out(shop(machines, tasks))
        looks.append(tasks.looks)
    assert looks[0] == looks[1] > 0
