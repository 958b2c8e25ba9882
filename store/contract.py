"""The store's contract, the same for every engine under it.

One writer decides in memory and commits a guarded, atomic batch. A batch carries a request id, so that a retry after
an unknown outcome is recognised and never applied twice, and the epoch of the writer, so that an older one is fenced.
Outcomes are values: only a programming error raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

SqlValue = str | int | float | bytes | None
Row = Mapping[str, SqlValue]


class Outcome(StrEnum):
    """How a batch ended."""

    COMMITTED = "committed"  # durable
    DUPLICATE = "duplicate"  # this request id was committed before; nothing was done now
    CONFLICT = "conflict"  # a guard (`expect_rows`) did not hold; nothing was done
    FENCED = "fenced"  # a newer epoch was claimed; nothing was done, and this writer must stand down
    REJECTED = "rejected"  # the statements are wrong or break a constraint; nothing was done
    UNAVAILABLE = "unavailable"  # not now (disk full, no quorum); nothing was done
    UNKNOWN = "unknown"  # it may have been done: retry with the same request id


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement that both engines take. `expect_rows` makes any other number of changed rows a CONFLICT."""

    sql: str
    parameters: tuple[SqlValue, ...] = ()
    expect_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a batch. `reason` is for a person; empty when committed."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Leadership:
    """Who may write, as this member sees it."""

    holder: str
    epoch: int
    is_self: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the store's cluster."""

    id: str
    address: str
    role: Literal["voter", "standby", "spare"]


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A snapshot file: `revision` is the cluster's revision in it, `created_at` seconds since the epoch."""

    name: str
    path: Path
    size: int
    created_at: float
    revision: int
    epoch: int
    schema: int
    detail: Mapping[str, str] = field(default_factory=dict)


class StoreError(Exception):
    """The store cannot be opened or restored. The text says why, and what to do."""


class NewerSchema(StoreError):
    """The data was written by a newer gbnt."""


class Locked(StoreError):
    """Another gbnt has this data directory."""


class Corrupt(StoreError):
    """The file is not a sound store."""


class Unavailable(StoreError):
    """The store cannot answer now: its disk fails, or it has no quorum."""


class Store(Protocol):
    """The Senate's durable state.

    What does not go through `apply` raises: Unavailable for the store's troubles, ValueError for SQL that is wrong.
    """

    async def apply(self, statements: Sequence[Statement], *, rid: str, epoch: int) -> Applied:
        """Commit the statements as one durable batch, or none of them. Cancellation leaves the outcome unknown.

        A batch without statements asks whether writes are taken.
        """

    async def read(self, sql: str, parameters: tuple[SqlValue, ...] = ()) -> Sequence[Row]:
        """Rows of one SELECT, from the last committed state."""

    async def leadership(self) -> Leadership:
        """Who holds the newest epoch."""

    async def claim_epoch(self, holder: str) -> int:
        """Raise the epoch by one in `holder`'s name and return it; every older epoch is fenced from here on."""

    async def members(self) -> Sequence[Member]:
        """The members; one for a single manager."""

    async def snapshot(self, target: Path) -> SnapshotInfo:
        """Write a complete, sound copy to `target` while writes go on; all of it or no file at all.

        Raises StoreError where `target` is there already.
        """

    async def close(self) -> None:
        """Release files and locks."""
