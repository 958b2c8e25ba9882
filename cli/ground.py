"""What manager and worker stand on: who this node is, its actor system, its engine, its way to other nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from socket import socket
from typing import Protocol

from actors.machine import Machine
from cli.config_folder import FileConfigs
from cli.drawer import FileDrawer
from cli.home import Home, NodeIdentity
from cli.options import ServeOptions
from cli.resolver_port import Keeper, resolver_command
from engine.docker import DockerEngine
from gubernator import __version__
from network.keeper import ResolverKeeper
from portal.backend import Check
from portal.sockets import listen
from supervisor.spec import SupervisorSpec
from supervisor.system import System
from transport.router import LinkRouter


class Role(Protocol):
    """What a node is in its cluster."""

    def root(self) -> SupervisorSpec:
        """Its supervision tree."""

    async def ready(self) -> str:
        """What is left to do once the tree stands; says in a sentence what serves."""


@dataclass(frozen=True, slots=True)
class Ground:
    """`boot` is this life's own id, `address` what others reach this machine by, `clock` the time of day."""

    options: ServeOptions
    home: Home
    identity: NodeIdentity
    random: Random
    clock: Callable[[], float]
    system: System
    router: LinkRouter
    engine: DockerEngine
    boot: str

    def machine(self, address: str, manager: str = "") -> Machine:
        """This machine as its actors know it; `manager` is the node that it serves, empty for itself."""
        identity = self.identity
        who = (identity.node, identity.name, address, identity.cluster, self.boot, manager)
        return Machine(*who, version=__version__, link_port=self.options.link_port)

    def resolver(self) -> Keeper:
        """The resolver of this machine."""
        return Keeper(ResolverKeeper(self.home.run, command=resolver_command()))

    def drawer(self) -> FileDrawer:
        """Where its orders are kept."""
        return FileDrawer(self.home.orders)

    def configs(self) -> FileConfigs:
        """Where its files of configs are kept."""
        return FileConfigs(self.home.configs, self.engine)

    def bound(self, port: int) -> Callable[[], socket]:
        """What opens the socket of a door: the first one now, so that a taken port is told before anything starts."""
        return bound(partial(listen, self.options.bind, port))

    def dead_letters(self) -> Mapping[str, int]:
        """How many messages reached nobody, by reason."""
        return {str(reason): number for reason, number in self.system.dead_letters.statistics().by_reason.items()}

    async def check_resolver(self) -> Check:
        """Whether names resolve."""
        return self.check("resolver", "names resolve")

    async def check_certificate(self) -> Check:
        """Whether the node's certificate is, or soon will be, a good one."""
        return self.check("certificate", "is renewed by itself")

    def check(self, path: str, well: str) -> Check:
        """What an actor says under `problem` of itself."""
        found = self.system.inspect(path)
        problem = str(found[0].detail.get("problem", "")) if found else "is not there"
        return Check(not problem, problem or well)


def bound(opened: Callable[[], socket]) -> Callable[[], socket]:
    """What opens a door's socket; the first one is opened at once."""
    first = [opened()]
    return lambda: first.pop() if first else opened()
