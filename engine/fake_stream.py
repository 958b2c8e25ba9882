"""One reader of a fake engine's events."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.port import EngineEvent


@dataclass(slots=True, eq=False)
class FakeStream:
    """What a reader has not read yet, and whether it was cut off."""

    labels: Mapping[str, str]
    waiting: deque[EngineEvent] = field(default_factory=deque)
    broken: bool = False
