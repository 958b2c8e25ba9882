"""Lines of several containers in the order of time."""

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.merge import Line, Reorder, merged
from tests.portal.build import task

moments = st.lists(st.integers(0, 50), max_size=8).map(sorted)


def line(moment: int, text: str = "", slot: int = 1) -> Line:
    return Line(task(slot), f"2024-01-01T00:00:{moment:02}Z", "stdout", text)


class Source:
    """A container's lines; remembers that it was closed."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.closed = False

    async def read(self) -> AsyncGenerator[Line, None]:
        try:
            for one in self.lines:
                yield one
        finally:
            self.closed = True


@pytest.mark.anyio
@given(st.lists(moments, max_size=5))
async def test_merging_keeps_every_line_and_the_order_of_time(sources):
    opened = [[line(m, f"{number}.{i}") for i, m in enumerate(source)] for number, source in enumerate(sources)]
    out = [one async for one in merged([Source(lines).read() for lines in opened])]
    assert sorted(one.text for one in out) == sorted(one.text for lines in opened for one in lines)
    assert [one.moment for one in out] == sorted(one.moment for one in out)
    for lines in opened:
        mine = [one for one in out if one in lines]
        assert mine == lines


@pytest.mark.anyio
async def test_leaving_half_way_closes_every_source():
    sources = [Source([line(1), line(4)]), Source([line(2), line(3)])]
    merging = merged([source.read() for source in sources])
    assert (await anext(merging)).moment.endswith("01")
    await merging.aclose()
    assert [source.closed for source in sources] == [True, True]


def test_a_time_stamp_of_fewer_digits_sorts_where_it_belongs():
    stamps = ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00.15Z", "2024-01-01T00:00:00.2Z"]
    lines = [Line(task(), stamp, "stdout", "") for stamp in stamps]
    assert sorted(lines, key=lambda one: one.moment) == lines


def test_live_lines_come_out_in_order_when_they_arrive_within_the_window():
    held = Reorder(window=1.0)
    held.push(line(2), now=10.0)
    held.push(line(1, slot=2), now=10.5)
    assert list(held.due(now=10.9)) == []
    assert held.wait(now=10.9) == pytest.approx(0.6)
    assert [one.moment[-2:] for one in held.due(now=11.5)] == ["01", "02"]
    assert held.wait(now=11.5) is None


def test_no_more_than_so_many_lines_are_held():
    held = Reorder(window=1.0, most=3)
    for moment in range(5):
        held.push(line(moment), now=0.0)
    assert [one.moment[-1] for one in held.due(now=0.0)] == ["0", "1"]
    assert [one.moment[-1] for one in held.rest()] == ["2", "3", "4"]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20).map(lambda quarters: quarters / 4)), max_size=30))
def test_no_line_is_ever_lost_and_the_next_is_due_within_the_window(arrivals):
    held, out, now = Reorder(window=1.0), list[Line](), 0.0
    for moment, pause in arrivals:
        now += pause
        held.push(line(moment), now)
        out += held.due(now)
        assert (held.wait(now) or 0.0) <= 1.0
    out += held.rest()
    assert sorted(one.moment for one in out) == sorted(line(moment).moment for moment, _ in arrivals)


def test_lines_of_one_task_stay_as_they_came_though_its_clock_was_set_back():
    held = Reorder(window=1.0)
    for moment, text in ((7, "one"), (3, "two"), (5, "three")):
        held.push(line(moment, text), now=0.0)
    assert [one.text for one in held.rest()] == ["one", "two", "three"]
