import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.detector import Detector, Health, Rhythm

RHYTHM = Rhythm(beat=0.5, suspect=6, timeout=5)


def looks(detector: Detector, begin: float, end: float) -> list[tuple[float, Health]]:
    """What the detector says when asked in time: each change, with its moment."""
    said: list[tuple[float, Health]] = []
    moment = begin
    while moment < end:
        moment += RHYTHM.look
        health = detector.look(moment)
        if not said or said[-1][1] is not health:
            said.append((moment, health))
    return said


def test_some_missed_beats_make_a_suspect_and_the_time_out_ends_it():
    assert looks(Detector(RHYTHM, 100), 100, 107) == [
        (100.25, Health.UP),
        (103, Health.SUSPECT),
        (105, Health.DOWN),
    ]


def test_silence_that_began_with_the_end_of_a_connection_may_last_longer():
    detector = Detector(RHYTHM, 0)
    detector.ended()
    assert looks(detector, 0, 16) == [(0.25, Health.UP), (3, Health.SUSPECT), (15, Health.DOWN)]
    detector.heard(16)
    assert looks(detector, 16, 22)[-1] == (21, Health.DOWN)


def test_who_is_heard_is_up_again():
    detector = Detector(RHYTHM, 0)
    looks(detector, 0, 6)
    detector.heard(6)
    assert detector.look(6.25) is Health.UP


@pytest.mark.parametrize("pause", [2, 4, 10, 3600])
def test_a_pause_of_our_own_condemns_nobody(pause: float):
    detector = Detector(RHYTHM, 0)
    looks(detector, 0, 1)
    assert detector.look(1 + pause) is Health.UP
    assert looks(detector, 1 + pause, 8 + pause)[-1] == (5 + pause - RHYTHM.look, Health.DOWN)


@given(st.lists(st.floats(0.1, 2.9), max_size=30))
def test_who_speaks_in_time_is_never_suspected(gaps: list[float]):
    detector, now, spoke = Detector(RHYTHM, 0), 0.0, 0.0
    for gap in gaps:
        spoke += gap
        while now + RHYTHM.look < spoke:
            now += RHYTHM.look
            assert detector.look(now) is Health.UP
        detector.heard(spoke)


def test_a_time_out_shorter_than_the_beats_is_refused():
    with pytest.raises(ValueError, match="do not fit into a time-out of 2 s"):
        Rhythm(beat=1, suspect=3, timeout=2)
