"""Stores to test with, and a disk that is soon full."""

import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from store.sqlite import SqliteStore

OpenSqlite = Callable[..., Awaitable[SqliteStore]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store" / "gbnt.db"


@pytest.fixture
async def open_store(path: Path):
    """Open the store at `path`, or at `at`; closed with the test."""
    async with AsyncExitStack() as opened:

        async def open_one(at: Path = path, **options) -> SqliteStore:
            store = await SqliteStore.open(at, **options)
            opened.push_async_callback(store.close)
            return store

        yield open_one


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte. Mounting it takes root, which CI's tests have."""
    yield from _disk(tmp_path / "disk", "1m")


@pytest.fixture
def roomy_disk(tmp_path: Path) -> Iterator[Path]:
    """One that has room to put some by."""
    yield from _disk(tmp_path / "roomy", "24m")


def _disk(disk: Path, size: str) -> Iterator[Path]:
    disk.mkdir()
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("only root may mount a small disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)
