"""What each machine must bring about is worked out in one pass over the tasks, however many machines there are."""

from collections import UserDict
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from actors.views import node_views, same_view
from cluster.assignment import Gate
from cluster.model import State, Task, revision_key
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
