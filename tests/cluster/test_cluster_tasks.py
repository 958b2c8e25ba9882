"""The table of tasks: whatever was written into which copy, it answers as one that is made anew."""

from copy import copy

from hypothesis import given
from hypothesis import strategies as st

from cluster.model import Change, State, Task
from cluster.tasks import Tasks
from tests.cluster.build import running

STEPS = st.tuples(
    st.sampled_from(["put", "put", "pop", "copy", "back", "ask"]),
    st.sampled_from(["web", "db"]),
    st.integers(1, 3),
    st.integers(0, 3),
)


def by_definition(tasks: dict[str, Task], service: str) -> list[Task]:
    mine = [task for task in tasks.values() if task.service == service]
    return sorted(mine, key=lambda task: (task.slot, task.created_at, task.id))


@given(st.lists(STEPS, max_size=30))
def test_tables_that_were_copied_and_written_into_answer_each_as_one_made_anew(steps):
    table, plain = Tasks(), dict[str, Task]()
    earlier = [(table, plain)]
    for what, service, slot, age in steps:
        id = f"{service}.{slot}.{age}"
        if what == "put":
            table[id] = plain[id] = running(id=id, service=service, slot=slot, created_at=float(age))
        elif what == "pop":
            assert table.pop(id, None) == plain.pop(id, None)
        elif what == "copy":
            table, plain = copy(table), plain.copy()
            earlier.append((table, plain))
        elif what == "back":
            table, plain = earlier[age % len(earlier)]
        else:
            assert list(table.by_service.get(f"shop/{service}", ())) == by_definition(plain, service)
    for table, plain in earlier:
        assert table == plain
        assert all(table.by_service.values())
        for service in ("web", "db"):
            assert list(table.by_service.get(f"shop/{service}", ())) == by_definition(plain, service)


def test_a_service_that_a_copy_did_not_change_has_the_same_tuple_there():
    table = Tasks({"w1": running(id="w1"), "d1": running(id="d1", service="db")})
    before = dict(table.by_service)
    other = copy(table)
    other["w2"] = running(id="w2", slot=2)
    assert other.by_service["shop/db"] is before["shop/db"]
    assert [task.id for task in other.by_service["shop/web"]] == ["w1", "w2"]
    assert table.by_service == before


def test_a_state_has_its_tasks_by_service_however_it_was_made():
    one, two = running(id="t1", slot=1), running(id="t2", slot=2)
    before = State(tasks={"t2": two})
    assert before.tasks_of("shop/web") == (two,)
    after = before.after([Change("tasks", "t1", one), Change("tasks", "t2", None)])
    assert (before.tasks_of("shop/web"), after.tasks_of("shop/web")) == ((two,), (one,))
