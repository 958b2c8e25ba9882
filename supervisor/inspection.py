"""What the runtime tells of an actor: one line of the live tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from supervisor.address import Address


@dataclass(frozen=True, slots=True)
class ActorInfo:
    """A child of a supervisor at one moment; the root is its own.

    `state` is `restarting` while a failed start is tried again, and `stopped` where a child ended that is not
    restarted. `incarnation`, `mailbox` (messages waiting) and `processed` belong to the present life and are 0 without
    one; `restarts` and the last failure belong to all lives. Times are wall-clock seconds. `kind` is the actor's class.
    """

    address: Address
    kind: str
    state: Literal["starting", "running", "stopping", "stopped", "restarting"]
    incarnation: int = 0
    mailbox: int = 0
    capacity: int = 0
    processed: int = 0
    restarts: int = 0
    last_failure: str | None = None
    last_failure_at: float | None = None
    started_at: float | None = None
    children: tuple[str, ...] = ()
    detail: Mapping[str, object] = field(default_factory=dict)
