"""Questions to the Senate and the snapshots, and following the Senate."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.event import Event
from cluster.model import State
from supervisor.message import message

# The pure rules know nothing of messages; here their state becomes one.
message("state/1")(State)

LAST_NUMBER = 2**62
"""No event of a revision has it: what is after it is after the revision."""


@message("state.get/1")
@dataclass(frozen=True, slots=True)
class GetState:
    """Answered by the present `State`."""


@message("events.get/1")
@dataclass(frozen=True, slots=True)
class GetEvents:
    """Answered by `Events`: the first `limit` after the revision, or the newest `limit` for 0.

    With `number` those after that event of the revision. Where it is `discreet`, none that is for admins alone.
    """

    after: int = 0
    limit: int = 1000
    number: int = LAST_NUMBER
    discreet: bool = False


@message("events/1")
@dataclass(frozen=True, slots=True)
class Events:
    """Events in order; `compacted` is the revision up to which older ones are gone."""

    events: tuple[Event, ...]
    compacted: int = 0


@message("snapshot.create/1")
@dataclass(frozen=True, slots=True)
class CreateSnapshot:
    """To the `snapshots` actor: answered by `SnapshotMade` or Refused."""

    reason: str = "requested"


@message("snapshot.made/1")
@dataclass(frozen=True, slots=True)
class SnapshotMade:
    """A snapshot is durable."""

    name: str
    size: int
    revision: int
    created_at: float


@message("snapshots.list/1")
@dataclass(frozen=True, slots=True)
class ListSnapshots:
    """To the `snapshots` actor: answered by `SnapshotList`."""


@message("snapshots/1")
@dataclass(frozen=True, slots=True)
class SnapshotList:
    """The snapshots that are kept, newest first."""

    snapshots: tuple[SnapshotMade, ...]


@message("state.follow/1")
@dataclass(frozen=True, slots=True)
class Follow:
    """Tell `follower` (an address) every committed state from now on, beginning with the present one."""

    follower: str


@message("state.unfollow/1")
@dataclass(frozen=True, slots=True)
class Unfollow:
    """No more of them."""

    follower: str


@message("state.committed/1")
@dataclass(frozen=True, slots=True)
class Committed:
    """A state that is durable, and what happened on the way to it from the one before."""

    state: State
    events: tuple[Event, ...] = ()


@message("task.progress/1")
@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task's pull is, told to followers and kept nowhere."""

    task: str
    message: str
    fraction: float
