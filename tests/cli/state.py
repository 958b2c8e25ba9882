"""A manager's data directory as a gbnt leaves it, made without one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio

from cli.home import Home, NodeIdentity, write_private
from cluster.decide.nodes import HOLD
from store import entities
from store.schema import Table
from store.sqlite import SqliteStore
from transport.identity import ClusterCA

ROME = NodeIdentity("gjhc7xpyn8ta", "w7k2m0q4t1zb", "rome")
AT = 1_772_366_400.0


def make_state(path: Path, *, tasks: int = 3) -> Home:
    """The data directory of the manager `rome`, with so many tasks, one for each revision."""
    home = Home(path)
    home.keep(ROME)
    ClusterCA(home.keys, ROME.cluster, lambda: AT).server_certificate(["rome"], ["192.0.2.1"])
    write_private(home.credentials, b"gbnt_first_secret")

    async def fill() -> None:
        store = await SqliteStore.open(home.store, threaded=False)
        epoch = await store.claim_epoch(ROME.node)
        for revision in range(tasks):
            put = entities.put(Table.TASKS, f"web.{revision}", "{}", version=revision + 1)
            await store.apply([entities.bump_revision(revision), put], rid=f"r{revision}", epoch=epoch)
        await store.close()

    anyio.run(fill)
    return home


@dataclass(frozen=True)
class Seen:
    """What a store says: `held` is why it holds containers that it does not know, empty where it does not."""

    tasks: list[str]
    revision: int
    epoch: int
    held: str


def look(path: Path) -> Seen:
    """Open a store as a gbnt does, and look."""

    async def read() -> Seen:
        store = await SqliteStore.open(path, threaded=False)
        try:
            settings = {row["key"]: row["body"] for row in await store.read(entities.every(Table.SETTINGS))}
            (revision,) = await store.read(entities.REVISION)
            tasks = [str(row["key"]) for row in await store.read(entities.every(Table.TASKS))]
            epoch = (await store.leadership()).epoch
            return Seen(tasks, int(revision["rev"] or 0), epoch, str(settings.get(HOLD, "")))
        finally:
            await store.close()

    return anyio.run(read)


def tree(path: Path, *, but: Callable[[str], bool] = lambda name: False) -> dict[str, bytes | None]:
    """Each file below a folder with its content, and each folder."""
    found: dict[str, bytes | None] = {}
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            one = Path(folder) / name
            if not but(name):
                found[str(one.relative_to(path))] = one.read_bytes() if one.is_file() else None
    return found
