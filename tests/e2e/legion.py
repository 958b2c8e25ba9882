"""A manager and a worker, each a real `gbnt serve`: the worker on an engine of its own, in whose network both are.

So both resolvers want the gateways there, and one of the two is never quite well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.e2e.engine import OwnEngine, own_engine
from tests.e2e.node import Node, node, until


@dataclass(frozen=True, slots=True)
class Legion:
    """Both, and the worker's engine."""

    manager: Node
    worker: Node
    engine: OwnEngine

    def ready(self) -> bool:
        """Whether the manager says that the worker is."""
        states = {row["name"]: row["status"] for row in self.manager.rows("node", "ls")}
        return states.get("gaul") == "ready"


@contextmanager
def legion() -> Iterator[Legion]:
    """Both are up, and know each other."""
    with own_engine() as engine, engine.network(), node() as manager, node(engine=engine.url) as worker:
        manager.start("--node-name", "rome", "--advertise-addr", "127.0.0.1")
        token = manager.ok("legion", "join-token", "--ttl", "5m").split("--token ")[1].split()[0]
        where = ("--manager", f"127.0.0.1:{manager.api_port}", "--data-dir", str(worker.data))
        names = ("--node-name", "gaul", "--advertise-addr", "127.0.0.1", "--no-serve")
        worker.ok("legion", "join", "--token", token, *where, *names)
        worker.launch()
        both = Legion(manager, worker, engine)
        until(both.ready, "a worker that is ready")
        yield both
