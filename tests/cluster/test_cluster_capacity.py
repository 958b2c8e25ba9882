"""What a machine says of its disk, and when it says it again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.capacity import LEAST_TOLD, MIB, Disk, told

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
