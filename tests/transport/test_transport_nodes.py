"""Two nodes as they will run: links over HTTP/2 with a certificate at either end, on real sockets, in real time."""

import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from bench.certificates import client_tls, issue, server_tls
from supervisor.address import Address
from supervisor.message import Terminated
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.supervisor.build import StopYourself, scribe
from tests.transport.test_transport_router import watcher
from transport.channel import ChannelClosed, Peer, Refusal
from transport.detector import Rhythm
from transport.dialer import http2_dialer
from transport.events import PeerEvent, PeerUp
from transport.hello import Local
from transport.listener import Listener, serve
from transport.router import LinkRouter

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

TOKEN = "gbnt-token"


class Node:
    """One node, and an event for its first peer."""

    def __init__(self, name: str) -> None:
        self.up = anyio.Event()
        self.router = LinkRouter(Local(name, "b1", "legion"), subscriber=self._heard, rhythm=Rhythm(0.2, 3, 10))
        self.system = System(name, router=self.router)
        self.router.bind(self.system)

    def _heard(self, event: PeerEvent) -> None:
        if isinstance(event, PeerUp):
            self.up.set()


@asynccontextmanager
async def running(node: Node, *children: ChildSpec) -> AsyncIterator[Node]:
    links = ChildSpec("links", SupervisorSpec())
    async with anyio.create_task_group() as group:
        await group.start(node.system.run, SupervisorSpec(children=(*children, links)))
        yield node
        node.system.stop()


def authenticate(headers: Mapping[str, str]) -> Peer | Refusal:
    return Peer(headers[TOKEN]) if TOKEN in headers else Refusal("no token", "no token")


@asynccontextmanager
async def serving(node: Node, folder: Path) -> AsyncIterator[str]:
    sock = socket.create_server(("127.0.0.1", 0))
    async with anyio.create_task_group() as group:
        group.start_soon(serve, Listener(authenticate, node.router.accept), sock, server_tls(folder, "rome-1"))
        yield f"https://127.0.0.1:{sock.getsockname()[1]}"
        group.cancel_scope.cancel()


async def test_a_manager_and_a_worker_talk_and_watch(tmp_path: Path):
    issue(tmp_path, ("rome-1", "rome-2"))
    seen: list[Terminated] = []
    worker_actors = (scribe("a", []), watcher("rome-1/m", seen))
    async with (
        running(Node("rome-1"), scribe("m", [], restart="temporary")) as manager,
        running(Node("rome-2"), *worker_actors) as worker,
        serving(manager, tmp_path) as url,
    ):
        dial = http2_dialer("rome-1", url, client_tls(tmp_path, "rome-2"), lambda: {TOKEN: "rome-2"})
        await manager.system.start_child("links", manager.router.link("rome-2"))
        await worker.system.start_child("links", worker.router.link("rome-1", dial))
        await manager.up.wait()
        await worker.up.wait()
        big = "x" * 3_000_000
        assert await manager.system.ref(Address("rome-2", "a")).ask(big, timeout=20) == big
        to_manager = worker.system.ref(Address("rome-1", "m"))
        for number in range(500):
            await to_manager.offer(number)
        assert await to_manager.ask("last", timeout=20) == "last"
        worker.system.ref("w").tell("watch")
        await anyio.sleep(0.2)
        to_manager.tell(StopYourself())
        with anyio.fail_after(10):
            while not seen:
                await anyio.sleep(0.01)
        assert seen[0].reason == "ended"
        await worker.system.stop_child("links/rome-1")


@pytest.mark.parametrize("lacking", ["another authority's certificate", "no certificate"])
async def test_without_a_certificate_of_the_cluster_nobody_gets_in(tmp_path: Path, lacking: str):
    issue(tmp_path, ("rome-1", "rome-2"))
    ours = client_tls(tmp_path, "rome-2")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    issue(foreign, ("rome-2",))
    if lacking == "no certificate":
        ours = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    else:
        ours.load_cert_chain(foreign / "rome-2.pem")
    manager = Node("rome-1")
    async with running(manager), serving(manager, tmp_path) as url:
        await manager.system.start_child("links", manager.router.link("rome-2"))
        with pytest.raises(ChannelClosed, match="cannot be reached"):
            async with http2_dialer("rome-1", url, ours, lambda: {TOKEN: "rome-2"})():
                pass
        assert not manager.up.is_set()
