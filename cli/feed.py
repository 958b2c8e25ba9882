"""A blocking stream read beside a clock, so that a screen can move and a deadline pass while nothing arrives."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End:
    """The stream is over: at its end, or by an error."""

    error: Exception | None


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


def ticking(source: Callable[[], Iterator[T]], seconds: float) -> Iterator[T | None]:
    """Every item of the stream that `source` opens, and None whenever `seconds` have passed without one.

    What the stream raises is raised here. The stream is read by a daemon thread: a process that ends does not wait.
    """
    inbox: queue.SimpleQueue[_Item[T] | _End] = queue.SimpleQueue()

    def read() -> None:
        try:
            for item in source():
                inbox.put(_Item(item))
        except Exception as error:  # noqa: BLE001 - it is raised below, where somebody can tell the person
            inbox.put(_End(error))
        else:
            inbox.put(_End(None))

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            arrived = inbox.get(timeout=seconds)
        except queue.Empty:
            yield None
            continue
        if isinstance(arrived, _Item):
            yield arrived.value
        elif arrived.error is not None:
            raise arrived.error
        else:
            return
