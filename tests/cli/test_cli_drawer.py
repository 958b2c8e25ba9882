"""A machine's orders are in its file, whole, and what else is there is told in words."""

from pathlib import Path

import pytest

from actors.keepsake import Unkept
from actors.protocol import Assign
from cli.drawer import FileDrawer
from cluster.assignment import Assignment
from tests.cluster.build import spec, task

pytestmark = pytest.mark.trio

ORDERS = Assign(1, 7, True, (Assignment(task(), spec()),), (), (), (), (), ())


async def test_orders_are_read_as_they_were_written_and_by_nobody_else(tmp_path: Path):
    path = tmp_path / "orders"
    assert await FileDrawer(path).load() is None
    await FileDrawer(path).save(ORDERS)
    assert await FileDrawer(path).load() == ORDERS
    assert path.stat().st_mode & 0o777 == 0o600


async def test_orders_that_an_older_release_kept_are_read(tmp_path: Path):
    path = tmp_path / "orders"
    await FileDrawer(path).save(ORDERS)
    written = path.read_bytes()
    path.write_bytes(written.replace(b',"elsewhere":[]', b""))
    assert len(path.read_bytes()) < len(written)
    assert await FileDrawer(path).load() == ORDERS


async def test_a_file_that_holds_no_orders_is_told(tmp_path: Path):
    path = tmp_path / "orders"
    path.write_bytes(b"half a fi")
    with pytest.raises(Unkept, match="a manager gives them again"):
        await FileDrawer(path).load()


async def test_where_there_is_no_room_the_reason_is_told(tmp_path: Path):
    with pytest.raises(Unkept, match="cannot keep the orders"):
        await FileDrawer(tmp_path / "missing" / "orders").save(ORDERS)
