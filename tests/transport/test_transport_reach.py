import socket
from collections.abc import Iterator

import anyio
import pytest

from transport import reach as module
from transport.reach import reach

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


class Way:
    """In the place of a network: what becomes of each attempt, in their order; None for one that is lost."""

    def __init__(self, *outcomes: BaseException | str | None) -> None:
        self.outcomes = iter(outcomes)
        self.attempts = 0
        self.closed = 0

    async def connect_tcp(self, host: str, port: int) -> "Way":
        self.attempts += 1
        outcome = next(self.outcomes)
        if outcome is None:
            await anyio.sleep_forever()
        if isinstance(outcome, BaseException):
            raise outcome
        return self

    async def aclose(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_way_that_is_open_is_found(listening):
    await reach("127.0.0.1", listening, 30)


async def test_a_refusal_is_told_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OSError, match="connect"):
        await reach("127.0.0.1", port, 30)


async def test_an_attempt_that_is_lost_holds_up_no_other(monkeypatch):
    way = Way(None, None, "open")
    monkeypatch.setattr(anyio, "connect_tcp", way.connect_tcp)
    await reach("rome-1", 4003, 30)
    assert (way.attempts, way.closed) == (3, 1)


async def test_in_the_end_it_gives_up(monkeypatch):
    monkeypatch.setattr(anyio, "connect_tcp", Way(*[None] * 100).connect_tcp)
    with pytest.raises(TimeoutError):
        await reach("rome-1", 4003, 0.05)
