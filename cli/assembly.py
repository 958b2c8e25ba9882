"""The composition root: wires a node's parts together, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from random import Random

import anyio
from anyio.abc import TaskStatus

from actors.tree import new_id
from cli import allegiance
from cli.ground import Ground, Role
from cli.home import Home, NodeIdentity
from cli.log import said
from cli.options import ServeOptions
from engine.docker import DockerEngine
from gubernator import __version__
from supervisor.spec import SupervisorSpec
from supervisor.system import System
from transport.hello import Local
from transport.router import LinkRouter


class Assembly:
    """One node: made from its options, run once. It is a worker where its machine joined another one's cluster."""

    def __init__(
        self, options: ServeOptions, home: Home, identity: NodeIdentity, random: Random, clock: Callable[[], float]
    ) -> None:
        boot = new_id(random)
        router = LinkRouter(Local(identity.node, boot, identity.cluster), random=random)
        system = System(identity.node, clock=clock, router=router)
        router.bind(system)
        self._ground = Ground(options, home, identity, random, clock, system, router, DockerEngine(), boot)

    def stop(self) -> None:
        """Ask everything to end in order."""
        self._ground.system.stop()

    async def run(self, serving: Callable[[str], None]) -> None:
        """Run the node, and call `serving` with a sentence once its doors are open and its credential is there.

        Raises what keeps it from starting, or SupervisionError when its root gives up.
        """
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._ground.engine.close)
            role = await self._role(closing)
            async with anyio.create_task_group() as group:
                await group.start(partial(self._run_system, role.root()))
                words = await role.ready()
                said.info("gbnt %s: %s", __version__, words)
                serving(words)

    async def _role(self, closing: AsyncExitStack) -> Role:
        ground = self._ground
        home, identity = ground.home, ground.identity
        sworn = allegiance.load(home.legion)
        if sworn is not None:
            from cli.worker import WorkerRole  # the one role without what only the other one needs

            return WorkerRole(ground, sworn)
        from cli.manager import ManagerRole
        from cli.recovery import take_over
        from store.sqlite import SqliteStore
        from transport.identity import ClusterCA

        store = await SqliteStore.open(home.store)
        closing.push_async_callback(store.close)
        await take_over(store, home, identity)
        return ManagerRole(ground, store, ClusterCA(home.keys, identity.cluster, ground.clock))

    async def _run_system(self, root: SupervisorSpec, *, task_status: TaskStatus[None]) -> None:
        await self._ground.system.run(root, task_status=task_status)
