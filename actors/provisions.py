"""Networks and volumes of one machine: made before a task needs them, removed when the cluster no longer names them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from actors import protocol
from cluster.containers import CLUSTER, STACK
from cluster.model import Network
from cluster.spec import VolumeSpec
from engine.port import Conflict, Engine, EngineError, EngineUnavailable, NameTaken, NetworkInfo, NetworkRequest
from supervisor.actor import Actor, Context
from supervisor.message import message

PROVISIONS = "agent/provisions"
FIRST_RETRY, LAST_RETRY = 1.0, 30.0
# For so many seconds an engine counts as tidy, though somebody else may change what is on it.
TIDY = 60.0


@message("provisions.again/1")
@dataclass(frozen=True, slots=True)
class Again:
    """A timer's tick: what could not be removed may be free now."""


class ProvisionsActor(Actor):
    """Serialises all making and removing of networks and volumes, so that no two tasks make the same one."""

    def __init__(self, engine: Engine, cluster: str, agent: str) -> None:
        self._engine = engine
        self._labels = {CLUSTER: cluster}
        self._agent = agent
        self._keep: protocol.KeepProvisions | None = None
        self._told: protocol.ProvisionsNow | None = None
        self._stuck: dict[str, str] = {}
        self._ready: set[str] = set()
        self._tidy_until = -math.inf
        self._pause = FIRST_RETRY

    async def receive(self, message: object, ctx: Context) -> None:
        """Make what is wanted, or remove what is not."""
        match message:
            case protocol.WantProvisions():
                ctx.reply(await self._provide(message, ctx))
            case protocol.KeepProvisions() if message != self._keep or ctx.now() >= self._tidy_until:
                # Each order of a task brings the names, too: the engine is not asked each time for the same ones.
                self._keep, self._pause = message, FIRST_RETRY
                await self._tidy(ctx)
            case protocol.DropVolume(name):
                ctx.reply(await self._drop(name, ctx))
            case Again():
                await self._tidy(ctx)

    async def _provide(self, wanted: protocol.WantProvisions, ctx: Context) -> protocol.DoneWell | protocol.Failed:
        names = {n.name for n in wanted.networks} | {v.name for v in wanted.volumes} | set(wanted.external)
        if names <= self._ready and not wanted.afresh:
            return protocol.DoneWell()
        self._tidy_until = -math.inf  # who asked may be late: its network is not to stay for good
        try:
            made = await self._make_networks(wanted.networks, wanted.external)
            made |= await self._make_volumes(wanted.volumes)
            if made:
                await self._tell(ctx)
        except EngineUnavailable as error:
            return protocol.Failed(str(error), down=True)
        except EngineError as error:
            return protocol.Failed(str(error))
        self._ready |= names
        return protocol.DoneWell()

    async def _make_networks(self, networks: Iterable[Network], external: Iterable[str]) -> bool:
        here = {info.name: info for info in await self._engine.networks()}
        for name in external:
            if name not in here:
                raise Conflict(f"external network {name} is not there: make it with docker network create {name}")
        made = False
        for network in networks:
            known = here.get(network.name)
            if known is not None:
                _check(known, network, self._labels)
                continue
            labels = {**network.labels, **self._labels, STACK: network.stack}
            await self._engine.create_network(
                NetworkRequest(
                    name=network.name,
                    subnet=network.subnet,
                    gateway=network.gateway,
                    labels=labels,
                    internal=network.internal,
                    mtu=network.mtu,
                    options=network.options,
                )
            )
            made = True
        return made

    async def _make_volumes(self, volumes: Iterable[VolumeSpec]) -> bool:
        if not volumes:
            return False
        here = {info.name for info in await self._engine.volumes({})}
        missing = [volume for volume in volumes if volume.name not in here]
        for volume in missing:
            if volume.external:
                raise Conflict(
                    f"external volume {volume.name} is not there: make it with docker volume create {volume.name}"
                )
            await self._engine.create_volume(
                volume.name, volume.driver or "local", volume.options, {**volume.labels, **self._labels}
            )
        return bool(missing) or not {volume.name for volume in volumes} <= self._told_volumes

    @property
    def _told_volumes(self) -> set[str]:
        return {*self._told.volumes, *self._told.other_volumes} if self._told else set()

    async def _tidy(self, ctx: Context) -> None:
        """Remove what is no longer named. What is still in use stays for now, and is tried again."""
        keep = self._keep
        if keep is None:
            return
        self._tidy_until = -math.inf
        try:
            self._stuck = await self._remove_networks(keep) | await self._remove_volumes(keep)
            await self._tell(ctx)
            if not self._stuck:
                self._tidy_until = ctx.now() + TIDY
        except EngineError:
            pass  # it does not answer, or what it listed has changed: the next try finds out
        if self._tidy_until < ctx.now():
            ctx.timers.start("again", self._pause, Again())
            self._pause = min(LAST_RETRY, self._pause * 2)

    async def _remove_networks(self, keep: protocol.KeepProvisions) -> dict[str, str]:
        stuck: dict[str, str] = {}
        for network in await self._engine.networks(self._labels):
            if network.name in keep.networks:
                continue
            self._ready.discard(network.name)
            try:
                await self._engine.remove_network(network.name)
            except Conflict:
                stuck[network.name] = await self._in_use(network)
        return stuck

    async def _in_use(self, network: NetworkInfo) -> str:
        """Who is on a network that should be gone. It is no task of ours, for those are gone before their networks."""
        found = [(id, await self._engine.container(id)) for id in network.containers]
        names = sorted(info.name if info else id[:12] for id, info in found)
        users = ", ".join(names) or "a container"
        return f"network {network.name} is used by {users}: stop it, or docker network disconnect {network.name} NAME"

    async def _remove_volumes(self, keep: protocol.KeepProvisions) -> dict[str, str]:
        stuck: dict[str, str] = {}
        for name in keep.remove_volumes:
            self._ready.discard(name)
            try:
                await self._engine.remove_volume(name)
            except Conflict as error:
                stuck[name] = str(error)
        return stuck

    async def _drop(self, name: str, ctx: Context) -> protocol.DoneWell | protocol.Failed:
        """What somebody else made is not gbnt's to remove, though a stack named it once."""
        self._ready.discard(name)
        try:
            known = {info.name: info.labels for info in await self._engine.volumes({})}
            if name in known and not _ours(known[name], self._labels):
                return protocol.Failed(f"did not make it: `docker volume rm {name}` there removes it")
            await self._engine.remove_volume(name)
            await self._tell(ctx)
        except Conflict as error:
            return protocol.Failed(f"has it in use: {error} (`gbnt system prune` puts ended ones of gbnt away)")
        except EngineError as error:
            return protocol.Failed(f"could not: {error}", down=isinstance(error, EngineUnavailable))
        return protocol.DoneWell()

    async def _tell(self, ctx: Context) -> None:
        now = replace(await survey(self._engine, self._labels[CLUSTER]), stuck=self._stuck)
        if now != self._told:
            self._told = now
            ctx.ref(self._agent).tell(now)


async def survey(engine: Engine, cluster: str) -> protocol.ProvisionsNow:
    """The cluster's networks and volumes on this engine, others' volumes and subnets. Raises EngineError."""
    labels = {CLUSTER: cluster}
    every, volumes = await engine.networks(), await engine.volumes({})
    return protocol.ProvisionsNow(
        networks=tuple(sorted(info.name for info in every if _ours(info.labels, labels))),
        volumes=tuple(sorted(info.name for info in volumes if _ours(info.labels, labels))),
        used_subnets=tuple(sorted(s for info in every if not _ours(info.labels, labels) for s in info.subnets)),
        other_volumes=tuple(sorted(info.name for info in volumes if not _ours(info.labels, labels))),
    )


def _ours(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return wanted.items() <= labels.items()


def _check(known: NetworkInfo, wanted: Network, labels: Mapping[str, str]) -> None:
    if not _ours(known.labels, labels):
        raise NameTaken(f"network {wanted.name} is there already and not gbnt's: remove it, or give yours another name")
    if wanted.subnet not in known.subnets:
        raise Conflict(
            f"network {wanted.name} is there with the subnet {', '.join(known.subnets) or 'none'} and should have "
            f"{wanted.subnet}: remove it with docker network rm {wanted.name}"
        )
