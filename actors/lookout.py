"""Keeps an eye on one machine's engine: follows its events, and looks over the cluster's containers."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from actors import protocol
from actors.provisions import survey
from cluster.containers import CLUSTER, TASK
from engine.port import Engine, EngineError, EngineEvent, EngineInfo
from supervisor.message import message
from supervisor.ref import Ref

FIRST_RETRY, LAST_RETRY = 0.2, 10.0


@message("engine.up/1")
@dataclass(frozen=True, slots=True)
class EngineUp:
    """The event stream is open, and these are the cluster's networks, volumes and containers at this moment."""

    info: EngineInfo
    here: protocol.ProvisionsNow
    found: protocol.Containers


@message("engine.down/1")
@dataclass(frozen=True, slots=True)
class EngineDown:
    """The engine does not answer, or its event stream broke."""

    reason: str


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
                info = await self._engine.info()
                async with self._engine.events({CLUSTER: self._cluster}) as events:
                    here = await survey(self._engine, self._cluster)
                    agent.tell(EngineUp(info, here, await self._list(CLUSTER, self._cluster)))
                    pause = FIRST_RETRY
                    async for event in events:
                        await agent.offer(EngineSays(event))
                agent.tell(EngineDown("the engine closed its stream of events"))
            except EngineError as error:
                agent.tell(EngineDown(str(error)))
            await anyio.sleep(pause)
            pause = min(LAST_RETRY, pause * 2)

    async def look(self) -> protocol.Containers | None:
        """All the cluster's containers; None while the engine is away."""
        try:
            return await self._list(CLUSTER, self._cluster)
        except EngineError:
            return None  # the event stream says so too, and is what reconnects

    async def look_at(self, task: str, actor: Ref) -> None:
        """Show a task's actor its containers; while the engine is away, `follow` will when it is back."""
        try:
            actor.tell(await self._list(TASK, task))
        except EngineError:
            return

    async def _list(self, label: str, value: str) -> protocol.Containers:
        at = anyio.current_time()
        return protocol.Containers(tuple(await self._engine.containers({label: value})), at)
