"""What links say of a node, and since when."""

import anyio
import pytest

from actors.protocol import PeerBegan, PeerDoubted, PeerHeard, PeerLost
from actors.roll import Roll

pytestmark = pytest.mark.anyio


async def test_each_return_of_a_node_is_counted_and_a_doubt_is_none():
    roll = Roll()
    roll.note(PeerLost("rome-2", "was not reached yet"))
    assert roll.presences["rome-2"].ups == 0
    roll.note(PeerHeard("rome-2"))
    began = anyio.current_time()
    await anyio.sleep(3.0)
    roll.note(PeerDoubted("rome-2"))
    assert (roll.presences["rome-2"].status, roll.presences["rome-2"].since) == ("suspect", began)
    roll.note(PeerHeard("rome-2"))
    known = roll.presences["rome-2"]
    assert (known.status, known.since, known.ups) == ("up", began, 1)
    roll.note(PeerBegan("rome-2"))
    roll.note(PeerHeard("rome-2"))
    assert roll.presences["rome-2"].ups == 2
    await anyio.sleep(3.0)
    roll.note(PeerLost("rome-2", "rome-2 says: rome-2 stops", left=True))
    lost = roll.presences["rome-2"]
    assert (lost.status, lost.left, lost.since, lost.ups) == ("down", True, anyio.current_time(), 2)


async def test_a_node_that_is_forgotten_was_never_heard_of():
    roll = Roll()
    roll.note(PeerHeard("rome-2"))
    roll.forget("rome-2")
    roll.forget("rome-3")
    assert roll.presences == {}
