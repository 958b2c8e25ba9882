"""What a machine's agent and its tasks both do beside their work: look at containers, and put away what is over.

It is done as far as the engine does it. What is left is found again by the next look over all containers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import anyio

from actors import protocol
from cluster.containers import TASK
from engine.port import Engine, EngineError, EngineUnavailable


async def look(engine: Engine, label: str, value: str) -> protocol.Containers:
    """All containers with this label, as they are. Raises EngineError."""
    at = anyio.current_time()
    return protocol.Containers(tuple(await engine.containers({label: value})), at)


async def look_at(engine: Engine, task: str) -> protocol.Containers | None:
    """A task's containers; None while the engine is away: the agent shows them when it is back."""
    try:
        return await look(engine, TASK, task)
    except EngineError:
        return None


async def remove_all(engine: Engine, containers: Iterable[str]) -> None:
    """Remove containers that nothing needs any more."""
    await _each(containers, engine.remove)


async def stop_all(engine: Engine, containers: Iterable[str], grace: float) -> None:
    """Stop containers in whose place another one runs."""
    await _each(containers, lambda container: engine.stop(container, grace))


async def _each(containers: Iterable[str], call: Callable[[str], Awaitable[None]]) -> None:
    for container in containers:
        try:
            await call(container)
        except EngineUnavailable:
            return
        except EngineError:
            continue
