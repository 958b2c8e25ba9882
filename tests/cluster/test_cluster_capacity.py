"""What a machine says of its disk, and when it says it again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.capacity import LEAST_TOLD, MIB, Disk, crowded, told
from cluster.decide.decision import Decided, Happening
from cluster.decide.nodes import report_node
from cluster.model import State
from tests.cluster.build import node

GIB = 1024 * MIB
DISK = Disk("/var/lib/docker", 1000 * GIB, 400 * GIB, unknown="")


@pytest.mark.parametrize(
    ("said", "now", "again"),
    [
        (400 * GIB, 361 * GIB, False),
        (400 * GIB, 360 * GIB, True),
        (400 * GIB, 440 * GIB, True),
        (4 * GIB, 3.5 * GIB, True),
        (600 * MIB, 500 * MIB, False),
        (600 * MIB, 400 * MIB, True),
        (100 * MIB, 0, False),
    ],
)
def test_it_is_told_again_once_a_tenth_of_what_was_free_is_gone_or_come(said: int, now: float, again: bool):
    known, seen = replace(DISK, free=said), replace(DISK, free=int(now))
    assert told(known, seen) == (seen if again else known)


@pytest.mark.parametrize("seen", [replace(DISK, total=2000 * GIB), replace(DISK, path="/srv"), Disk("/srv")])
def test_another_disk_is_told_at_once_and_so_is_one_that_is_not_seen_any_more(seen: Disk):
    assert told(DISK, seen) == seen
    assert told(seen, DISK) == DISK


@given(st.lists(st.integers(0, LEAST_TOLD // 2), max_size=20))
def test_what_sways_about_a_mark_is_told_once(sways: list[int]):
    known = replace(DISK, free=GIB)
    for sway in sways:
        known = told(known, replace(DISK, free=GIB - LEAST_TOLD // 4 + sway))
    assert known.free == GIB


@given(st.integers(0, DISK.total), st.integers(0, DISK.total))
def test_what_was_said_is_never_far_from_what_is(before: int, now: int):
    said = told(replace(DISK, free=before), replace(DISK, free=now))
    assert abs(said.free - now) < max(said.free / 10, LEAST_TOLD) or said.free == now


@pytest.mark.parametrize(("free", "words"), [(16, ""), (15, "its disk is 85 % full"), (0, "its disk is 100 % full")])
def test_a_disk_that_is_nearly_full_says_so(free: int, words: str):
    said = crowded(replace(DISK, free=free * 10 * GIB))
    assert (said.partition(":")[0], "`gbnt system df`" in said) == (words, bool(words))


def test_one_that_nobody_sees_is_not_called_full():
    assert crowded(Disk("/srv")) == crowded(Disk()) == ""


def test_it_is_an_event_once_when_a_disk_is_nearly_full_and_once_when_that_is_over():
    state, told_of = State(), list[Happening]()
    for free in (400, 100, 90, 300, 100, 500):
        decision = report_node(state, node(disk=replace(DISK, free=free * GIB)))
        assert isinstance(decision, Decided)
        told_of += [one for one in decision.happenings if one.kind in ("node.crowded", "node.roomy")]
        state = state.after(decision.changes)
    assert [one.kind for one in told_of] == ["node.crowded", "node.roomy"] * 2
    assert told_of[0].message.startswith("its disk is 90 % full")


def test_a_machine_that_starts_with_a_full_disk_is_told_of_no_second_time():
    full = replace(DISK, free=50 * GIB)
    state = State(nodes={"n1": node(disk=full)})
    for report in (node(status="starting", disk=Disk()), node(disk=full)):
        decision = report_node(state, report)
        assert isinstance(decision, Decided)
        assert not [one for one in decision.happenings if one.kind == "node.crowded"]
        state = state.after(decision.changes)
    assert state.nodes["n1"].disk == full
