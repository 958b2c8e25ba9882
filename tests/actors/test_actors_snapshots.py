"""The schedule of snapshots: one an hour, whatever becomes of gbnt meanwhile."""

from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from actors import protocol
from actors.manager_tree import SNAPSHOT_PERIOD
from actors.snapshots import AFTER_START
from store.contract import SnapshotInfo
from tests.actors.house import House, time_of_day

pytestmark = pytest.mark.anyio


class Drawer:
    """A shelf that keeps everything, newest first."""

    def __init__(self) -> None:
        self.kept: list[SnapshotInfo] = []

    @property
    def pauses(self) -> list[float]:
        return [later.created_at - earlier.created_at for later, earlier in pairwise(self.kept)]

    def put(self, at: float, **detail: str) -> SnapshotInfo:
        made = SnapshotInfo(f"at {at}", Path(f"{at}.db"), 1, at, 0, 1, 1, detail)
        self.kept.insert(0, made)
        return made

    async def create(self) -> SnapshotInfo:
        return self.put(time_of_day())

    async def list(self) -> list[SnapshotInfo]:
        return list(self.kept)


@pytest.fixture
def drawer(house: House) -> Drawer:
    drawer = Drawer()
    house.shelf = drawer
    return drawer


async def test_a_gbnt_that_is_restarted_all_the_time_makes_one_an_hour(house: House, drawer: Drawer):
    for _ in range(7):
        async with house.life():
            await anyio.sleep(SNAPSHOT_PERIOD / 2)
    assert drawer.pauses == pytest.approx([SNAPSHOT_PERIOD] * 3)


async def test_one_that_goes_on_makes_one_an_hour(house: House, drawer: Drawer):
    async with house.life():
        await anyio.sleep(3 * SNAPSHOT_PERIOD)
    assert drawer.pauses == pytest.approx([SNAPSHOT_PERIOD] * 2)


async def test_one_by_hand_counts(house: House, drawer: Drawer):
    drawer.put(time_of_day() - SNAPSHOT_PERIOD / 2)
    async with house.life() as life:
        await anyio.sleep(SNAPSHOT_PERIOD / 4)
        assert isinstance(await life.ask(protocol.CreateSnapshot(), path="snapshots"), protocol.SnapshotMade)
        await anyio.sleep(SNAPSHOT_PERIOD - 1.0)
        assert len(drawer.kept) == 2
        await anyio.sleep(2.0)
        assert len(drawer.kept) == 3


@pytest.mark.parametrize(
    ("age", "problem", "wait"),
    [
        (SNAPSHOT_PERIOD - 600.0, {}, 600.0),
        (10 * SNAPSHOT_PERIOD, {}, AFTER_START),
        (600.0, {"problem": "it is damaged"}, AFTER_START),
        (-10 * SNAPSHOT_PERIOD, {}, SNAPSHOT_PERIOD),  # the time of day was set back
    ],
)
async def test_the_next_one_is_due_by_the_newest_sound_one(
    house: House, drawer: Drawer, age: float, problem: dict[str, str], wait: float
):
    drawer.put(time_of_day() - age, **problem)
    async with house.life():
        await anyio.sleep(wait - 1.0)
        assert len(drawer.kept) == 1
        await anyio.sleep(2.0)
        assert len(drawer.kept) == 2
