"""The composition root: wires a node's parts together, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from functools import partial
from random import Random
from socket import socket

import anyio
from anyio.abc import TaskStatus

from actors.machine import Machine
from actors.mandate import Mandate
from actors.resolver import Standing, Unreachable
from actors.tree import Parts, new_id, tree
from cli.credential import FirstCredential
from cli.gate import AuthorityGate
from cli.home import Home, NodeIdentity
from cli.machine import address_towards_default_route
from cli.options import LINK_PORT, ServeOptions
from cli.recovery import take_over
from cluster import addresses
from cluster.model import Task
from cluster.zones import Zones
from engine.docker import DockerEngine
from engine.port import EngineError, LogLine
from gubernator import __version__
from network.keeper import ResolverError, ResolverKeeper
from portal.api.app import create_api
from portal.backend import Backend, Check, EngineFailed, Identity
from portal.door import Door
from portal.latency import Latency
from portal.session import Sessions, sessions
from portal.sockets import listen, listen_unix
from portal.telemetry import create_telemetry
from store.snapshots import Snapshots
from store.sqlite import SqliteStore
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from transport.identity import ClusterCA


class Keeper:
    """The resolver's port, by the process that `network.keeper` keeps."""

    def __init__(self, keeper: ResolverKeeper) -> None:
        self._keeper = keeper

    async def ensure(self) -> Standing:
        """See `actors.resolver.Resolver`."""
        try:
            status = await self._keeper.ensure()
        except ResolverError as error:
            raise Unreachable(str(error)) from error
        errors = "; ".join(f"cannot listen on {address}: {why}" for address, why in status.bind_errors.items())
        return Standing(status.serial, errors)

    async def publish(self, zones: Zones) -> None:
        """See `actors.resolver.Resolver`."""
        try:
            await self._keeper.publish(zones)
        except ResolverError as error:
            raise Unreachable(str(error)) from error


class Assembly:
    """One node: made from its options, run once."""

    def __init__(
        self, options: ServeOptions, home: Home, identity: NodeIdentity, random: Random, clock: Callable[[], float]
    ) -> None:
        self._options = options
        self._home = home
        self._identity = identity
        self._random = random
        self._clock = clock
        self._address = options.advertise_addr or address_towards_default_route()
        self._system = System(identity.node, clock=clock)
        self._sessions = Sessions(self._system)
        self._engine = DockerEngine()
        self._latencies = {
            "command": Latency("gbnt_command_seconds", "From a command's turn to its answer."),
            "store": Latency("gbnt_store_seconds", "One durable commit."),
        }

    def stop(self) -> None:
        """Ask everything to end in order."""
        self._system.stop()

    async def run(self, serving: Callable[[str], None]) -> None:
        """Run the node, and call `serving` with a sentence once its doors are open and its credential is there.

        Raises what keeps it from starting, or SupervisionError when its root gives up.
        """
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._engine.close)
            store = await SqliteStore.open(self._home.store)
            closing.push_async_callback(store.close)
            await take_over(store, self._home, self._identity)
            authority = ClusterCA(self._home.keys, self._identity.cluster, self._clock)
            credential = FirstCredential(self._options, self._home, self._system, authority)
            root = tree(self._parts(store), self._doors(authority))
            async with anyio.create_task_group() as group:
                await group.start(partial(self._run_system, root))
                await credential.ensure(self._identity.name)
                words = f"{self._identity.name} serves on {self._server()}"
                print(f"gbnt {__version__}: {words}", file=sys.stderr)
                serving(words)

    async def _run_system(self, root: SupervisorSpec, *, task_status: TaskStatus[None]) -> None:
        await self._system.run(root, task_status=task_status)

    def _server(self) -> str:
        return f"https://127.0.0.1:{self._options.api_port}"

    def _parts(self, store: SqliteStore) -> Parts:
        identity = self._identity
        return Parts(
            machine=Machine(identity.node, identity.name, self._address, identity.cluster, new_id(self._random)),
            store=store,
            engine=self._engine,
            resolver=Keeper(ResolverKeeper(self._home.run, command=resolver_command())),
            shelf=Snapshots(self._home.snapshots, store, clock=self._clock),
            clock=self._clock,
            random=self._random,
            mandate=Mandate(self._options.network_pool or addresses.DEFAULT_POOL),
            observe=lambda name, seconds: self._latencies[name].observe(seconds),
        )

    # -- the doors -------------------------------------------------------------------------------------------------

    def _doors(self, authority: ClusterCA) -> ChildSpec:
        options, backend = self._options, self._backend(authority)
        certificate = partial(authority.server_certificate, [self._identity.name], [self._address])
        api = bound(partial(listen, options.bind, options.api_port))
        telemetry = bound(partial(listen, options.bind, options.telemetry_port))
        trusted = bound(partial(listen_unix, self._home.admin_socket))
        children = (
            sessions(),
            ChildSpec("api", lambda: Door(create_api(backend), api, certificate)),
            ChildSpec("admin", lambda: Door(create_api(backend, trusted=True), trusted)),
            ChildSpec("telemetry", lambda: Door(create_telemetry(backend), telemetry)),
        )
        return ChildSpec("portal", SupervisorSpec(children=children, intensity=10, period=60.0))

    def _backend(self, authority: ClusterCA) -> Backend:
        identity = self._identity
        host = f"[{self._address}]" if ":" in self._address else self._address
        api = f"{host}:{self._options.api_port}"
        return Backend(
            identity=Identity(identity.name, identity.cluster, identity.node, __version__),
            ask=lambda path, message, timeout: self._system.ref(path).ask(message, timeout=timeout),
            follow=self._sessions.follow,
            inspect=self._system.inspect,
            logs=self._logs,
            build=self._build,
            image_id=self._image_id,
            first_sign_in=self._first_sign_in,
            clock=self._clock,
            dead_letters=self._dead_letters,
            checks={"resolver": self._check_resolver},
            latencies=tuple(self._latencies.values()),
            gate=AuthorityGate(authority, identity.node, api, LINK_PORT, self._clock),
        )

    async def _logs(
        self, task: Task, container: str, *, follow: bool, tail: int | None, since: float
    ) -> AsyncGenerator[LogLine, None]:
        try:
            # Closed at once when the reader leaves: the engine's connection is not for the garbage collector to end.
            async with aclosing(self._engine.logs(container, follow=follow, tail=tail, since=since)) as lines:
                async for line in lines:
                    yield line
        except EngineError as error:
            raise EngineFailed(str(error)) from error

    async def _build(
        self, context: AsyncIterator[bytes], tag: str, options: Mapping[str, str]
    ) -> AsyncGenerator[str, None]:
        try:
            async with aclosing(self._engine.build(context, tag, options)) as lines:
                async for line in lines:
                    yield line
        except EngineError as error:
            raise EngineFailed(str(error)) from error

    async def _image_id(self, reference: str) -> str:
        try:
            image = await self._engine.image(reference)
        except EngineError as error:
            raise EngineFailed(str(error)) from error
        return image.id if image else ""

    async def _first_sign_in(self) -> None:
        self._home.credentials.unlink(missing_ok=True)

    def _dead_letters(self) -> Mapping[str, int]:
        return {str(reason): number for reason, number in self._system.dead_letters.statistics().by_reason.items()}

    async def _check_resolver(self) -> Check:
        found = self._system.inspect("resolver")
        problem = str(found[0].detail.get("problem", "")) if found else "is not there"
        return Check(not problem, problem or "names resolve")


def bound(opened: Callable[[], socket]) -> Callable[[], socket]:
    """What opens a door's socket: the first one at once, so that a taken port is told before anything starts."""
    first = [opened()]
    return lambda: first.pop() if first else opened()


def resolver_command() -> tuple[str, ...]:
    """How this very gbnt starts a resolver; -P, or what lies in the present folder would be imported in its place."""
    return (sys.executable, "-P", "-m", "gubernator", "resolver")
