"""The snapshots of a store: making them, listing them, and letting old ones go."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio

from store.contract import SnapshotInfo, Store, StoreError
from store.copies import SUFFIX, describe, file_name, time_of
from store.worker import Worker


class Snapshots:
    """A folder of snapshots of one store.

    `keep` is how many of the newest stay, `days` for how many days the last one of each stays besides; `clock` gives
    seconds since the epoch. A file in the folder that gbnt did not name is left alone. `threaded` False keeps files on
    the caller's thread, for simulations.
    """

    def __init__(
        self,
        directory: Path,
        store: Store,
        *,
        clock: Callable[[], float],
        keep: int = 24,
        days: int = 14,
        threaded: bool = True,
    ) -> None:
        self._directory = directory
        self._store = store
        self._clock = clock
        self._keep = keep
        self._days = days
        self._making = anyio.Lock()
        self._files = Worker(threaded=threaded)

    async def create(self) -> SnapshotInfo:
        """Make a snapshot, then remove those that are too many. Raises StoreError; what was kept stays then."""
        async with self._making:
            try:
                await self._files.run(self._make_room)
                made = await self._store.snapshot(self._directory / file_name(self._clock()))
                await self._files.run(self._let_go)
            except OSError as error:
                raise StoreError(f"the snapshots in {self._directory} cannot be kept: {error}") from error
            return replace(made, created_at=time_of(made.path))

    async def list(self) -> Sequence[SnapshotInfo]:
        """All snapshots, newest first. One that cannot be read is listed too, with `detail["problem"]`."""
        return await self._files.run(self._listed)

    def _make_room(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for unfinished in self._directory.glob(f"gbnt-*{SUFFIX}.partial"):
            unfinished.unlink()

    def _let_go(self) -> None:
        for old in surplus(self._listed(), keep=self._keep, days=self._days):
            old.path.unlink()

    def _listed(self) -> Sequence[SnapshotInfo]:
        listed = []
        for path in sorted(self._directory.glob(f"gbnt-*{SUFFIX}"), reverse=True):
            try:
                listed.append(replace(_described(path), created_at=time_of(path)))
            except (ValueError, FileNotFoundError):
                continue  # not a name of ours, or somebody removed it just now
        return listed


def surplus(newest_first: Sequence[SnapshotInfo], *, keep: int, days: int) -> list[SnapshotInfo]:
    """Those to remove: neither among the newest `keep`, nor the last of its day (UTC) in the newest `days` days.

    Days without a snapshot do not count, so that a machine that was off for a month still has its history.
    """
    last_of_day: dict[str, str] = {}
    for info in newest_first:
        last_of_day.setdefault(datetime.fromtimestamp(info.created_at, UTC).date().isoformat(), info.name)
    kept = set(list(last_of_day.values())[:days]) | {info.name for info in newest_first[:keep]}
    return [info for info in newest_first if info.name not in kept]


def _described(path: Path) -> SnapshotInfo:
    try:
        return describe(path)
    except (StoreError, sqlite3.Error) as error:
        return SnapshotInfo(path.stem, path, path.stat().st_size, 0.0, 0, 0, 0, {"problem": str(error)})
