"""`gbnt reset`: shows what gbnt has on this machine, and takes all of it away."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from actors.provisions import survey
from cli.context import config_path
from cli.errors import CliError, NotFound
from cli.home import Home, contexts_to, serves
from cli.systemd import retire, unit_of
from cli.wipe import opened, told_of_volumes, wipe_engine, wipe_files, wipe_names, wipe_volumes
from cluster.containers import CLUSTER
from engine.docker import DockerEngine
from engine.port import Engine, EngineError
from network.keeper import ResolverGone, ResolverKeeper, ResolverStatus


@dataclass(frozen=True, slots=True)
class Belongings:
    """What gbnt has on this machine, by name.

    `cluster` is empty where the data directory does not say whose it is; nothing of the engine's is known then. `unit`
    is the one of systemd that serves this data directory, `files` what is in it, `contexts` those that lead here.
    """

    cluster: str = ""
    unit: Path | None = None
    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    resolver: ResolverStatus | None = None
    files: tuple[Path, ...] = ()
    contexts: tuple[str, ...] = ()


def look(
    home: Home,
    engine: Callable[[], Engine] = DockerEngine,
    root: Path = Path("/"),
    environment: Mapping[str, str] = os.environ,
) -> Belongings:
    """All that is there. `root` is where the machine's file system begins.

    Raises NotFound where there is nothing; CliError where this user may not look, where the engine does not answer,
    and where a gbnt serves that nothing but its starter can stop.
    """
    unit = unit_of(home.path, root=root)
    try:
        files = tuple(path for path in home.contents if path.exists())
        cluster = _cluster(home)
    except OSError as error:
        raise CliError(f"cannot look into {home.path}: {error.strerror}; run this as root, with sudo") from error
    if not files and unit is None:
        raise NotFound(f"there is nothing of gbnt in {home.path}: name its --data-dir")
    if unit is None and serves(home):
        raise CliError(
            f"gbnt serves on {home.path}, and no unit of systemd runs it: stop it first, where it was started, or by "
            "`docker rm --force` where it is a container (its resolver's, too); then run this again"
        )
    try:
        containers, networks, volumes = anyio.run(_of_engine, cluster, engine) if cluster else ((), (), ())
    except EngineError as error:
        raise CliError(f"what the cluster has on the engine is not seen, so nothing was removed: {error}") from error
    leading = contexts_to(home, config_path(environment))
    return Belongings(cluster, unit, containers, networks, volumes, anyio.run(_resolver, home), files, leading)


def listed(found: Belongings, *, volumes: bool) -> Iterator[str]:
    """What is going to be removed, a line each kind; `volumes` is whether those go, too."""
    if found.unit:
        yield f"service: {found.unit}, which is stopped first"
    yield from _line("container", found.containers)
    yield from _line("network", found.networks)
    if volumes:
        yield from _line("volume", found.volumes, " with all data in them")
    if found.resolver:
        at = f", which answers at {', '.join(found.resolver.listening)}" if found.resolver.listening else ""
        yield f"resolver: process {found.resolver.pid}{at}"
    if found.files:
        yield f"in {found.files[0].parent}: {', '.join(path.name for path in found.files)}"


def kept(found: Belongings, home: Home, *, volumes: bool) -> Iterator[str]:
    """What is left for a person to decide, once all else is gone."""
    if found.volumes and not volumes:
        yield told_of_volumes(found.volumes)
    for name in found.contexts:
        yield f"the context {name} leads to this node still: `gbnt config delete-context {name}`"
    if not found.cluster:
        yield "which cluster this was is not known: `docker ps --all --filter label=gbnt.cluster` shows its containers"
    if home.path.exists():
        yield f"{home.path} has other files, or is mounted, and stays"


def remove(home: Home, found: Belongings, *, volumes: bool, root: Path = Path("/")) -> None:
    """Take it away; broken off, it can be done again. Raises CliError with what is in the way."""
    retire(home.path, root=root)
    if serves(home):
        raise CliError(f"gbnt still serves on {home.path}, though its unit is gone: stop it, and run this again")
    if found.cluster:
        wipe_engine(found.cluster)
        if volumes:
            wipe_volumes(found.cluster)
    wipe_names(home)
    wipe_files(home)


def _cluster(home: Home) -> str:
    try:
        known = home.known()
    except CliError:  # damaged: what there is of it goes all the same
        return ""
    return known.cluster if known else ""


def _line(kind: str, names: Sequence[str], more: str = "") -> Iterator[str]:
    if names:
        yield f"{kind}{'s' if len(names) > 1 else ''}: {', '.join(names)}{more}"


async def _of_engine(
    cluster: str, make: Callable[[], Engine]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    async with opened(make) as engine:
        containers = await engine.containers({CLUSTER: cluster})
        here = await survey(engine, cluster)
    return tuple(sorted(info.name for info in containers)), here.networks, here.volumes


async def _resolver(home: Home) -> ResolverStatus | None:
    try:
        return await ResolverKeeper(home.run, command=()).status()
    except ResolverGone:
        return None
