"""The container engine, in its own words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import anyio

from cli.doctor.facts import Down, Engine, EngineNetwork
from cli.doctor.finding import Unseen
from cluster.containers import CLUSTER
from engine.docker_connection import Connection
from engine.docker_network import network_info
from engine.port import EngineError, Refused

PATIENCE = 10.0
UNIX = "unix://"


def engine(host: str = "") -> Engine | Down | Unseen:
    """What it says of itself; `host` is a URL as in `DOCKER_HOST`, empty for that variable or the usual socket."""
    try:
        connection = Connection(host)
    except EngineError as error:
        return Down(str(error))
    socket = connection.host.removeprefix(UNIX) if connection.host.startswith(UNIX) else ""
    if os.path.exists(socket) and not os.access(socket, os.R_OK | os.W_OK):
        return Unseen(f"this user may not open {socket}")
    try:
        return anyio.run(_asked, connection, bool(socket))
    except TimeoutError:
        return Down(f"the engine at {connection.host} does not answer within {PATIENCE:.0f} s")
    except Refused as error:
        return Engine("", refused=str(error))
    except EngineError as error:
        return Down(str(error))
    except (KeyError, TypeError, ValueError):
        return Down(f"what answers at {connection.host} is no Docker Engine: see that DOCKER_HOST names one")


async def _asked(connection: Connection, is_local: bool) -> Engine:
    about = ("engine", "information")
    try:
        with anyio.fail_after(PATIENCE):
            version = await connection.version()
            info = await connection.json("GET", "info", about=about)
            networks = await connection.json("GET", "networks", about=about)
    finally:
        await connection.close()
    return engine_of(version, info, networks, is_local=is_local)


def engine_of(version: Mapping[str, Any], info: Mapping[str, Any], networks: Any, *, is_local: bool = True) -> Engine:
    """An engine by its `/version`, `/info` and `/networks`."""
    known = map(network_info, networks)
    return Engine(
        version=str(version.get("Version", "")),
        rootless=any("rootless" in option for option in info.get("SecurityOptions") or ()),
        driver=str(info.get("Driver", "")),
        cgroups=str(info.get("CgroupVersion") or "1"),
        limits=bool(info.get("MemoryLimit") and info.get("CpuCfsQuota")),
        live_restore=bool(info.get("LiveRestoreEnabled")),
        swarm=str((info.get("Swarm") or {}).get("LocalNodeState", "")),
        root=str(info.get("DockerRootDir", "")) if is_local else "",
        networks=tuple(EngineNetwork(one.name, one.subnets, CLUSTER in one.labels) for one in known if one.subnets),
    )
