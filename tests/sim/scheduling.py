"""Time and order under a test's control: virtual clocks for both backends, and trio's scheduler by seed."""

import asyncio
import random
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trio
import trio._core._run as trio_run
from trio.testing import MockClock


class _JumpingSelector(selectors.DefaultSelector):
    """Never sleeps: where nothing is ready, the time is later."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.now += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time passes only when all of its tasks wait. Real sockets time out falsely in it."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def virtual_backend(name: str) -> tuple[str, dict[str, Any]]:
    """Return what anyio's `anyio_backend` fixture takes for that backend in virtual time, with a clock of its own."""
    if name == "trio":
        return name, {"clock": MockClock(autojump_threshold=0)}
    return name, {"loop_factory": VirtualLoop}


@contextmanager
def seeded_trio(seed: int) -> Iterator[None]:
    """Make each trio run inside schedule its tasks by this seed, and by nothing else.

    Trio shuffles each batch of runnable tasks, which finds races; only two private names make that repeatable. A canary
    test notices when they change.
    """
    before = trio_run._ALLOW_DETERMINISTIC_SCHEDULING, trio_run._r
    trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]
    trio_run._r = random.Random(seed)
    try:
        yield
    finally:
        trio_run._ALLOW_DETERMINISTIC_SCHEDULING, trio_run._r = before  # type: ignore[misc]


def run_seeded(seed: int, main: Any, *args: Any) -> Any:
    """Run an async function on trio in virtual time, scheduled by this seed."""
    with seeded_trio(seed):
        return trio.run(main, *args, clock=MockClock(autojump_threshold=0))
