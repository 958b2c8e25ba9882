"""What a task's actor makes of the containers that it is shown."""

import pytest

from actors.sightings import Sightings
from cluster.containers import ATTEMPT
from engine.port import ContainerInfo, ContainerState
from tests.cluster.build import task


@pytest.mark.parametrize("state", ["created", "removing"])
def test_what_a_killed_gbnt_made_and_never_started_is_no_attempt_though_it_be_half_removed(state: ContainerState):
    sightings = Sightings(task())
    made = ContainerInfo("c1", "shop-web-1", "web", {ATTEMPT: "1"}, state, exit_code=0)
    assert sightings.listed([made], at=1.0) == ["c1"]
    assert (sightings.newest, sightings.ended, sightings.crashes) == (None, (), 0)


def test_what_ran_and_is_being_removed_has_ended():
    sightings = Sightings(task())
    ran = ContainerInfo("c1", "shop-web-1", "web", {ATTEMPT: "1"}, "removing", exit_code=137, started_at=1.0)
    assert sightings.listed([ran], at=2.0) == []
    assert [attempt.exit_code for attempt in sightings.ended] == [137]


def test_a_container_of_a_later_attempt_than_the_record_knows_is_the_one_that_runs():
    sightings = Sightings(task(state="running", attempt=1, container_id="c1"))
    later = ContainerInfo("c3", "shop-web-1-3", "web", {ATTEMPT: "3"}, "running", started_at=3.0)
    assert sightings.listed([later], at=4.0) == []
    assert sightings.runs
    assert sightings.newest is not None
    assert (sightings.newest.id, [attempt.number for attempt in sightings.ended]) == ("c3", [1])
