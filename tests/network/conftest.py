"""A resolver for each test, in a directory and on a port of its own, stopped at the test's end."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dnslib import QTYPE, DNSRecord

from cluster.zones import Zone, Zones
from network.keeper import ResolverKeeper

GATEWAY = "127.7.0.1"
OTHER_GATEWAY = "127.7.1.1"
UPSTREAM = "127.7.9.53"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """gbnt's side of the resolver runs on both."""
    return str(request.param)


@dataclass(frozen=True)
class Place:
    """Where a test's resolver lives: `directory` holds its socket, `resolv_conf` names its upstreams, `port` is DNS."""

    directory: Path
    resolv_conf: Path
    port: int

    def command(self) -> tuple[str, ...]:
        options = ("--port", str(self.port), "--resolv-conf", str(self.resolv_conf))
        return (sys.executable, "-m", "network.resolver.main", *options)

    def keeper(self) -> ResolverKeeper:
        return ResolverKeeper(self.directory, command=self.command())

    def ask(self, name: str, kind: str = "A", *, at: str = GATEWAY, tcp: bool = False) -> DNSRecord:
        """The resolver's reply to one question from loopback."""
        return DNSRecord.parse(DNSRecord.question(name, kind).send(at, self.port, tcp=tcp, timeout=5))

    def addresses(self, name: str, *, at: str = GATEWAY, tcp: bool = False) -> set[str]:
        return {str(record.rdata) for record in self.ask(name, at=at, tcp=tcp).rr if record.rtype == QTYPE.A}

    def pid(self) -> int:
        return int((self.directory / "resolver.pid").read_text())


@pytest.fixture
def place() -> Iterator[Place]:
    """A place without a resolver yet. Its directory has a short name: a socket's path has room for 107 bytes."""
    directory = Path(tempfile.mkdtemp(prefix="gbnt-"))
    resolv_conf = directory / "resolv.conf"
    resolv_conf.write_text(f"nameserver {UPSTREAM}\n")
    place = Place(directory, resolv_conf, free_port())
    yield place
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        os.kill(place.pid(), signal.SIGKILL)
    shutil.rmtree(directory)


def zones(serial: int = 1, gateway: str = GATEWAY, **names: tuple[str, ...]) -> Zones:
    """One network on loopback with these names."""
    return Zones(serial, {"shop_default": Zone(gateway, "127.7.0.0/16", names)})


def free_port() -> int:
    """A port free on both transports, below those that the kernel gives to clients: one of them could take it first."""
    return next(port for port in random.sample(range(20_000, 32_000), 100) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, socket.socket() as streams:
        try:
            datagrams.bind(("", port))
            streams.bind(("", port))
        except OSError:
            return False
        return True
