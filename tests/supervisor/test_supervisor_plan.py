import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.plan import Plan, RestartWindow, plan, wants_restart
from supervisor.spec import Restart, Strategy

ids = st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Strategy, dict[str, Restart], str]:
    children = {id: draw(st.sampled_from(Restart)) for id in draw(ids)}
    return draw(st.sampled_from(Strategy)), children, draw(st.sampled_from(list(children)))


@given(situations())
def test_a_plan_is_whole_and_in_order(situation: tuple[Strategy, dict[str, Restart], str]):
    strategy, children, failed = situation
    order = list(children)
    steps = plan(strategy, children, failed)
    assert list(steps.stop) == sorted(steps.stop, key=order.index, reverse=True)
    assert list(steps.start) == sorted(steps.start, key=order.index)
    assert failed in steps.start
    assert failed not in steps.stop
    assert set(steps.start) | set(steps.remove) == {failed, *steps.stop}
    assert not set(steps.start) & set(steps.remove)
    assert all(children[id] is Restart.TEMPORARY for id in steps.remove)


@given(situations())
def test_a_strategy_reaches_as_far_as_it_says(situation: tuple[Strategy, dict[str, Restart], str]):
    strategy, children, failed = situation
    order = list(children)
    reach = {
        Strategy.ONE_FOR_ONE: {failed},
        Strategy.ONE_FOR_ALL: set(order),
        Strategy.REST_FOR_ONE: set(order[order.index(failed) :]),
    }
    assert {failed, *plan(strategy, children, failed).stop} == reach[strategy]


def test_a_plan_by_example():
    children = {"a": Restart.PERMANENT, "b": Restart.TRANSIENT, "c": Restart.TEMPORARY, "d": Restart.PERMANENT}
    assert plan(Strategy.REST_FOR_ONE, children, "b") == Plan(("d", "c"), ("c",), ("b", "d"))
    with pytest.raises(KeyError):
        plan(Strategy.ONE_FOR_ONE, children, "z")


@pytest.mark.parametrize(
    ("restart", "after_stop", "after_crash"),
    [(Restart.PERMANENT, True, True), (Restart.TRANSIENT, False, True), (Restart.TEMPORARY, False, False)],
)
def test_what_is_restarted(restart: Restart, after_stop: bool, after_crash: bool):
    assert wants_restart(restart, abnormal=False) is after_stop
    assert wants_restart(restart, abnormal=True) is after_crash


@given(
    st.integers(0, 5),
    st.floats(0.1, 100),
    st.lists(st.floats(0, 1000), max_size=30).map(sorted),
)
def test_the_window_counts_what_is_within_its_period(intensity: int, period: float, moments: list[float]):
    window = RestartWindow(intensity, period)
    for seen, moment in enumerate(moments, 1):
        window = window.record(moment)
        recent = sum(moment - earlier <= period for earlier in moments[:seen])
        assert window.exceeded is (recent > intensity)
        assert len(window.restarts) == recent
