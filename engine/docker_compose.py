"""What `docker compose` made on an engine: seen whole, held, and brought back as it was."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import anyio

from cluster.adoption.project import (
    PROJECT,
    VOLUME,
    OldContainer,
    OldMount,
    OldNetwork,
    OldPort,
    Project,
    Runner,
    WayBack,
)
from engine.docker import DockerEngine
from engine.docker_connection import filters, path
from engine.port import EngineError, NameTaken, NotFound

JSON = Mapping[str, Any]

USUAL_GRACE = 10.0
_LASTING = ("Driver", "Internal", "Attachable", "EnableIPv6", "Options", "Labels")


class ComposeEngine(DockerEngine):
    """The containers here are not gbnt's, so each call names the one that it is about. Raises as `Engine` does."""

    async def projects(self) -> list[str]:
        """The names of the projects that have containers here, running or not."""
        params = {"all": "1", **filters(label=[PROJECT])}
        listed = await self._engine.json("GET", "containers/json", about=("container", "the list"), params=params)
        return sorted({entry["Labels"][PROJECT] for entry in listed})

    async def project(self, name: str) -> Project:
        """All of one project, and what else runs here."""
        containers = [await self._old(info.id) for info in await self.containers({PROJECT: name})]
        networks = [await self._described(info.id) for info in await self.networks()]
        volumes = await self.volumes({PROJECT: name})
        return Project(
            name,
            tuple(sorted((one for one in containers if one is not None), key=lambda one: one.back.name)),
            tuple(old_network(found) for found in networks if found is not None),
            {info.labels[VOLUME]: info.name for info in volumes if VOLUME in info.labels},
            await self._runners(),
        )

    async def hold(self, old: WayBack) -> None:
        """Stop a container, and have the engine not start it again by itself; one that is gone is fine."""
        if await self._container(old.id) is None:
            return
        await self._restart(old, {"Name": "no"})
        await self.stop(old.id, old.grace)

    async def bring_back(self, old: WayBack, networks: Iterable[OldNetwork]) -> None:
        """Have a container be as it was, on `networks` that were made anew, too."""
        made = {network.name for network in networks}
        for name, endpoint in old.endpoints.items():
            if name in made:
                await self._reconnect(old, name, endpoint)
        await self._restart(old, old.restart)
        if old.running:
            await self.start(old.id)

    async def make_again(self, network: OldNetwork) -> None:
        """Make a network that was removed; one that is there is fine."""
        about = ("network", f"network {network.name}")
        try:
            await self._engine.json("POST", "networks/create", about=about, body=dict(network.body))
        except NameTaken:
            return

    async def discard(self, old: WayBack) -> None:
        """Remove a stopped container, and none of its volumes; one that is gone is fine. Raises Conflict if it runs."""
        if await self._container(old.id) is not None:
            await self._engine.json("DELETE", path("containers", old.id), about=_about(old), params={"v": "0"})

    async def _restart(self, old: WayBack, policy: JSON) -> None:
        where, body = path("containers", old.id, "update"), {"RestartPolicy": dict(policy)}
        await self._engine.json("POST", where, about=_about(old), body=body)

    async def _reconnect(self, old: WayBack, network: str, endpoint: JSON) -> None:
        """A container knows a network by its id: that of one that was made anew is another."""
        where = path("networks", network)
        leave = {"Container": old.id, "Force": True}
        try:
            await self._engine.json("POST", f"{where}/disconnect", about=_about(old), body=leave)
        except EngineError:
            pass  # it was off it already; whether it gets on is what counts
        body = {"Container": old.id, "EndpointConfig": dict(endpoint)}
        await self._engine.json("POST", f"{where}/connect", about=_about(old), body=body)

    async def _old(self, id: str) -> OldContainer | None:
        found = await self._container(id)
        return None if found is None else old_container(found, await anyio.to_thread.run_sync(_empty, found["Mounts"]))

    async def _described(self, id: str) -> JSON | None:
        try:
            found: JSON = await self._engine.json("GET", path("networks", id), about=("network", f"network {id[:12]}"))
        except NotFound:
            return None
        return found

    async def _runners(self) -> tuple[Runner, ...]:
        listed = await self._engine.json("GET", "containers/json", about=("container", "the list"))
        return tuple(_runner(entry) for entry in listed)


def old_container(found: JSON, empty: Iterable[str] = ()) -> OldContainer:
    """The container that `/containers/{id}/json` describes; at the targets `empty` there is nothing in a mount."""
    config, host, state = found["Config"], found["HostConfig"], found["State"]
    pairs = (text.partition("=") for text in config.get("Env") or ())
    grace = config.get("StopTimeout")
    return OldContainer(
        back=WayBack(
            found["Id"],
            found["Name"].removeprefix("/"),
            running=state["Running"],
            grace=USUAL_GRACE if grace is None else float(grace),
            restart=host["RestartPolicy"],
            endpoints={name: _endpoint(end) for name, end in (found["NetworkSettings"]["Networks"] or {}).items()},
        ),
        image=config["Image"],
        labels=config["Labels"] or {},
        command=tuple(config.get("Cmd") or ()),
        environment={name: text for name, _, text in pairs},
        mounts=tuple(_mount(mount, frozenset(empty)) for mount in found["Mounts"]),
        ports=tuple(_ports(host.get("PortBindings") or {})),
        exit_code=state["ExitCode"] if state["Status"] == "exited" else None,
        created=found["Created"],
    )


def old_network(found: JSON) -> OldNetwork:
    """The network that `/networks/{id}` describes."""
    pools = [{key: text for key, text in pool.items() if text} for pool in found["IPAM"].get("Config") or ()]
    ipam = {"Driver": found["IPAM"]["Driver"], "Options": found["IPAM"].get("Options") or {}, "Config": pools}
    body = {"Name": found["Name"], "CheckDuplicate": True, "IPAM": ipam, **{key: found[key] for key in _LASTING}}
    return OldNetwork(found["Name"], body, tuple(found.get("Containers") or ()))


def _endpoint(end: JSON) -> dict[str, Any]:
    return {key: end[key] for key in ("Aliases", "Links", "IPAMConfig", "DriverOpts") if end.get(key)}


def _mount(mount: JSON, empty: frozenset[str]) -> OldMount:
    source = mount["Name"] if mount["Type"] == "volume" else mount.get("Source", "")
    return OldMount(mount["Type"], source, mount["Destination"], not mount["RW"], mount["Destination"] in empty)


def _ports(bindings: Mapping[str, list[JSON] | None]) -> Iterable[OldPort]:
    for key, places in bindings.items():
        target, _, protocol = key.partition("/")
        for place in places or ():
            yield OldPort(int(target), protocol or "tcp", int(place.get("HostPort") or 0))


def _empty(mounts: Iterable[JSON]) -> list[str]:
    """The targets of volumes that can be looked into from here, and have nothing in them."""
    return [mount["Destination"] for mount in mounts if mount["Type"] == "volume" and _is_empty(mount["Source"])]


def _is_empty(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def _runner(entry: JSON) -> Runner:
    ports = frozenset((port["PublicPort"], port["Type"]) for port in entry["Ports"] if "PublicPort" in port)
    return Runner(entry["Id"], entry["Names"][0].removeprefix("/"), ports)


def _about(old: WayBack) -> tuple[str, str]:
    return "container", f"container {old.name}"
