"""Takes away what a cluster has on this machine: from the engine, from the resolver, from the data directory."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from actors.provisions import survey
from cli.errors import CliError
from cli.home import Home
from cluster.containers import CLUSTER
from engine.docker import DockerEngine
from engine.port import Engine, EngineError
from network.keeper import ResolverError, ResolverKeeper

GRACE = 10.0
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Wiped:
    """What was removed, by name; the volumes are those that are kept."""

    containers: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]


def wipe_engine(cluster: str, engine: Callable[[], Engine] = DockerEngine) -> Wiped:
    """Stop and remove a cluster's containers, and remove its networks; volumes stay. May be done again.

    Raises CliError where the engine does not do it, with what is in the way.
    """
    try:
        return anyio.run(_wipe_engine, cluster, engine)
    except EngineError as error:
        raise CliError(f"not all of the cluster is gone from this machine's engine: {error}") from error


def wipe_volumes(cluster: str, engine: Callable[[], Engine] = DockerEngine) -> None:
    """Remove a cluster's volumes, with all data in them. May be done again. Raises CliError."""
    try:
        anyio.run(_wipe_volumes, cluster, engine)
    except EngineError as error:
        raise CliError(f"not all volumes of the cluster are gone from this machine's engine: {error}") from error


def wipe_names(home: Home) -> None:
    """End the resolver of this data directory. Raises CliError where it goes on."""
    try:
        anyio.run(ResolverKeeper(home.run, command=()).stop)
    except ResolverError as error:
        raise CliError(str(error)) from error


def wipe_files(home: Home) -> None:
    """Remove what gbnt keeps in its data directory, and that too where nobody else has anything in it.

    May be done again. Raises CliError.
    """
    try:
        home.tidy()
        for path in home.contents:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise CliError(f"cannot remove {error.filename}: {error.strerror}; run this as its owner") from error
    with contextlib.suppress(OSError):
        home.path.rmdir()


def told_of_volumes(kept: Iterable[str]) -> str:
    """What a person is told of volumes that stay."""
    return f"kept the volumes {', '.join(kept)}: `docker volume rm` removes them for good"


@asynccontextmanager
async def opened(make: Callable[[], Engine]) -> AsyncIterator[Engine]:
    """An engine, closed in the end."""
    engine = make()
    try:
        yield engine
    finally:
        await engine.close()


async def _wipe_engine(cluster: str, make: Callable[[], Engine]) -> Wiped:
    async with opened(make) as engine:
        containers = await engine.containers({CLUSTER: cluster})
        await _remove(engine, [info.id for info in containers])
        here = await survey(engine, cluster)
        for network in here.networks:
            await engine.remove_network(network)
    return Wiped(tuple(sorted(info.name for info in containers)), here.networks, here.volumes)


async def _wipe_volumes(cluster: str, make: Callable[[], Engine]) -> None:
    async with opened(make) as engine:
        for volume in await engine.volumes({CLUSTER: cluster}):
            await engine.remove_volume(volume.name)


async def _remove(engine: Engine, containers: Iterable[str]) -> None:
    """Stop and remove containers, some at a time; the first failure is raised once all were tried."""
    room, failures = anyio.CapacityLimiter(AT_ONCE), list[EngineError]()

    async def remove(container: str) -> None:
        async with room:
            try:
                await engine.stop(container, GRACE)
                await engine.remove(container)
            except EngineError as error:
                failures.append(error)

    async with anyio.create_task_group() as group:
        for container in containers:
            group.start_soon(remove, container)
    if failures:
        raise failures[0]
