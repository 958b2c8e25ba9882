"""Keeps an eye on one machine's engine: follows its events, and looks over the cluster's containers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import anyio

from actors import protocol
from actors.housekeeping import look, look_at
from actors.provisions import survey
from cluster.capacity import Disk
from cluster.containers import CLUSTER
from engine.port import Engine, EngineError, EngineEvent, EngineInfo
from supervisor.message import message
from supervisor.ref import Ref

FIRST_RETRY, LAST_RETRY = 0.2, 10.0
# How long an engine may take to show its containers, or to open its stream of events, until it is said to hang.
LOOK_SECONDS = 45.0
HANGS = (
    f"the engine has not answered for {LOOK_SECONDS:g} s: where `docker ps` hangs too, restart it with"
    " `systemctl restart docker`"
)


@message("engine.up/1")
@dataclass(frozen=True, slots=True)
class EngineUp:
    """The event stream is open, and these are the cluster's containers, and since then its networks and volumes."""

    info: EngineInfo
    disk: Disk
    here: protocol.ProvisionsNow
    found: protocol.Containers


@message("engine.down/1")
@dataclass(frozen=True, slots=True)
class EngineDown:
    """The engine does not answer, or its event stream broke.

    `hangs`: it was asked and said nothing, so that its stream, though open, is not to be relied on.
    """

    reason: str
    hangs: bool = False


@message("engine.disk/1")
@dataclass(frozen=True, slots=True)
class DiskSeen:
    """The engine's disk, as it is now."""

    disk: Disk


@message("engine.event/1")
@dataclass(frozen=True, slots=True)
class EngineSays:
    """One event of the engine."""

    event: EngineEvent


class Lookout:
    """Tells an agent what the engine shows."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    async def follow(self, agent: Ref) -> None:
        """Follow the engine's events for ever; when they break, look for the engine with a growing pause."""
        pause = FIRST_RETRY
        while True:
            try:
                with anyio.fail_after(LOOK_SECONDS) as opening:
                    info, disk = await self._engine.info(), await self._engine.disk()
                    async with self._engine.events({CLUSTER: self._cluster}) as events:
                        opening.deadline = math.inf
                        found = await look(self._engine, CLUSTER, self._cluster)
                        agent.tell(EngineUp(info, disk, await survey(self._engine, self._cluster), found))
                        pause = FIRST_RETRY
                        async for event in events:
                            await agent.offer(EngineSays(event))
                agent.tell(EngineDown("the engine closed its stream of events"))
            except TimeoutError:
                agent.tell(EngineDown(HANGS))
            except EngineError as error:
                agent.tell(EngineDown(str(error)))
            await anyio.sleep(pause)
            pause = min(LAST_RETRY, pause * 2)

    async def look(self) -> protocol.Containers | EngineDown | None:
        """All the cluster's containers; `EngineDown` where the engine hangs, None while it is away."""
        try:
            with anyio.fail_after(LOOK_SECONDS):
                return await look(self._engine, CLUSTER, self._cluster)
        except TimeoutError:
            return EngineDown(HANGS, hangs=True)  # its stream says nothing, and may stay open for ever
        except EngineError:
            return None  # the event stream says so too, and is what reconnects

    async def look_at_disk(self) -> DiskSeen | None:
        """The engine's disk; None while the engine is away."""
        try:
            return DiskSeen(await self._engine.disk())
        except EngineError:
            return None

    async def look_at(self, task: str, actor: Ref) -> None:
        """Show a task's actor its containers; while the engine is away, `follow` will when it is back."""
        found = await look_at(self._engine, task)
        if found is not None:
            actor.tell(found)
