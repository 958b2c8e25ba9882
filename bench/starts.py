"""What becomes of containers with a label, by the engines' own clock, as their events tell.

To ask for them again and again would take the time from those who are measured.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

LOCAL = ("unix:///var/run/docker.sock",)
# From a moment in the past: `docker events` has no way to say that it listens.
EVENTS = ("events", "--filter", "event=create", "--filter", "event=start", "--format", "{{json .}}", "--since")


class Taken(NamedTuple):
    """Seconds to the last start: from the start of the command, and from the first container that it made."""

    command: float
    engine: float


class Starts:
    """The events of all engines in one line."""

    def __init__(self) -> None:
        self._events: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def hear(self, events: subprocess.Popen[str]) -> None:
        """Take in what an engine tells, until that ends."""
        assert events.stdout is not None
        for line in events.stdout:
            self._events.put(json.loads(line))

    def since(self, begun: float, count: int) -> Taken:
        """Wait until so many have started. `begun` is a time of day.

        Raises queue.Empty after two minutes of silence.
        """
        made, started = list[float](), list[float]()
        while len(started) < count:
            event = self._events.get(timeout=120)
            (made if event["Action"] == "create" else started).append(event["timeNano"] / 1e9)
        return Taken(max(started) - begun, max(started) - min(made))


@contextmanager
def starts(label: str, engines: Sequence[str] = LOCAL) -> Iterator[Starts]:
    """Hear of the containers with a label from now on, until the context ends."""
    heard = Starts()
    words = [*EVENTS, f"{time.time():.6f}", "--filter", f"label={label}"]
    with ExitStack() as stack:
        for engine in engines:
            command = ["docker", "-H", engine, *words]
            events = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            listener = Thread(target=heard.hear, args=(events,))
            listener.start()
            stack.callback(listener.join)
            stack.callback(events.terminate)
        yield heard
