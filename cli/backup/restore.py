"""Makes a data directory of a backup: all of it at once, in the place of an empty one."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cli.backup.archive import STATE, Backup, unpacked
from cli.backup.create import files
from cli.backup.seal import SealError, unseal
from cli.errors import CliError
from cli.home import Home, serves, write_private
from store import restore as store_restore
from store.contract import StoreError
from store.copies import file_name, stamp, sync
from store.lock import StoreLock
from store.schema import pending


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: at which revision the state goes on, and where the data directory is that was there before."""

    revision: int
    aside: Path | None


def load(file: BinaryIO, name: str, passphrase: str) -> Backup:
    """The backup in a file; all of it was checked. Raises CliError, `name` being how a person calls the file."""
    try:
        backup = unpacked(unseal(file, passphrase))
        pending(backup.manifest.schema, where=name)
    except SealError as error:
        raise CliError(f"{name} {error}") from error
    except StoreError as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(f"cannot read {name}: {error.strerror}; take another copy of it") from error
    return backup


def restore(backup: Backup, data_dir: Path, at: float, *, force: bool) -> Restored:
    """Put a node's data directory there, as one whose state is older than what its containers are of.

    It is written beside its place, and then gets its name: whoever is killed meanwhile leaves what was there, whole, or
    nothing. `force` moves aside what is there. Raises CliError where a gbnt serves there, or the disk refuses.
    """
    place = data_dir.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone_beside(place):
            insist_on_room(place, force=force)
            aside = place.with_name(f"{place.name}.before-restore-{stamp(at)}") if _has_something(place) else None
            with _unserved(place):
                return Restored(_restore(backup, place, at, aside), aside)
    except OSError as error:
        raise CliError(f"cannot restore to {place}: {error.strerror}; make room there, or run this as root") from error
    except StoreError as error:
        raise CliError(str(error)) from error


def insist_on_room(place: Path, *, force: bool) -> None:
    """Raise CliError where something is there that is not to be moved aside, or cannot be."""
    try:
        mounted, taken = os.path.ismount(place), _has_something(place)
    except OSError as error:
        raise CliError(f"cannot look into {place}: {error.strerror}; run this as root") from error
    if mounted:
        raise CliError(
            f"{place} is where a disk or a volume is mounted, and cannot be put there as a whole: restore to a folder "
            f"in it, as --data-dir {place / 'gbnt'}, and serve from there"
        )
    if taken and not force:
        raise CliError(
            f"{place} is not empty: choose another --data-dir, or --force, which keeps what is there under another name"
        )


def _restore(backup: Backup, place: Path, at: float, aside: Path | None) -> int:
    fresh = place.with_name(f".{place.name}.restoring")
    if fresh.exists():
        shutil.rmtree(fresh)  # left by one that was killed, for nobody else is at work here
    try:
        revision = _build(backup, fresh, at)
        _swap(fresh, place, aside)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return revision


def _build(backup: Backup, folder: Path, at: float) -> int:
    """Write it all, durably; the revision that it goes on at. The state as it was is there too, as a snapshot."""
    home = Home(folder, make=False)
    snapshot = home.snapshots / file_name(backup.manifest.created)
    for made in (folder, home.keys, home.snapshots, home.store.parent):
        made.mkdir(mode=0o700)
    for name, path in {**files(home), STATE: snapshot}.items():
        if name in backup.parts:
            write_private(path, backup.parts[name])
    info = store_restore.restore(snapshot, home.store, at=at, made_at=backup.manifest.created)
    sync(folder)
    return info.revision


def _swap(fresh: Path, place: Path, aside: Path | None) -> None:
    """Without `aside` the place was empty: a gbnt that has begun there since keeps it, for the rename fails then."""
    if aside is not None:
        place.rename(aside)
    try:
        fresh.rename(place)
    except OSError:
        if aside is not None:
            aside.rename(place)
        raise
    if aside is not None and (aside / "run").is_dir():
        (aside / "run").rename(place / "run")  # the resolver that serves this machine's containers is reached in there
    sync(place.parent)


def _has_something(place: Path) -> bool:
    return place.exists() and not (place.is_dir() and not any(place.iterdir()))


@contextmanager
def _alone_beside(place: Path) -> Iterator[None]:
    """No other restore works in this folder; the kernel lets go however this process ends."""
    descriptor = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(descriptor, place.parent)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CliError(f"another `gbnt backup restore` works in {folder}: wait for its end") from error


@contextmanager
def _unserved(place: Path) -> Iterator[None]:
    """No gbnt serves from there, and no manager begins to. Raises CliError, and store.contract.Locked for a manager."""
    home = Home(place, make=False)
    if not home.store.parent.is_dir():
        yield
        return
    lock = StoreLock(home.store)
    try:
        if serves(home):  # a worker, which has no store to lock
            raise CliError(f"a gbnt serves from {place}: stop that one, or choose another --data-dir")
        yield
    finally:
        lock.release()
