"""Who knocks at a manager's door for links without being a node of its cluster, or not the one that it says."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from socket import create_connection
from typing import Any

import anyio
import anyio.to_thread
import pytest

from actors import protocol
from cli.link_tls import ClientTls
from supervisor.address import Address
from supervisor.errors import ActorError
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.e2e.node import Node, node, until
from transport.channel import ChannelClosed, Dial, Dismissed
from transport.dialer import http2_dialer
from transport.events import PeerDismissed, PeerEvent
from transport.frames import Bye, FrameReader, Hello, encode
from transport.hello import Local
from transport.identity import ClusterCA, Role
from transport.identity.certificates import node_name
from transport.identity.node_keys import NodeKeys
from transport.identity.proofs import proof
from transport.router import LinkRouter

pytestmark = [pytest.mark.engine, pytest.mark.anyio, pytest.mark.timeout(240)]


def report(node: str, name: str = "gaul") -> protocol.NodeReport:
    """What that node would say of itself."""
    return protocol.NodeReport(node, name, "192.0.2.66", "ready", "ready", role="worker")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Rome:
    """A manager, and gaul, a machine that joined it and serves by this test's hand."""

    def __init__(self, manager: Node, home: Path) -> None:
        self.manager = manager
        self.keys = NodeKeys(home / "pki", time.time)
        facts = self.keys.facts
        assert facts is not None
        self.cluster, self.gaul = facts.cluster, facts.node
        [row] = [row for row in manager.rows("node", "ls") if row["role"] == "manager"]
        self.node = str(row["id"])

    def dial(self, headers: Mapping[str, str] | None = None) -> Dial:
        """What connects to the manager: by proofs, or with these headers."""
        return http2_dialer(
            self.node,
            f"https://127.0.0.1:{self.manager.link_port}",
            ClientTls(self.keys).context(),
            lambda: proof(self.keys, self.node, "link") if headers is None else headers,
            server_name=node_name(self.cluster, self.node),
        )

    @asynccontextmanager
    async def linked(self, heard: Callable[[PeerEvent], None]) -> AsyncIterator[System]:
        """The machine with a link to its manager, as it is before it does anything."""
        router = LinkRouter(Local(self.gaul, "b1", self.cluster), subscriber=heard)
        system = System(self.gaul, router=router)
        router.bind(system)
        links = ChildSpec("links", SupervisorSpec())
        async with anyio.create_task_group() as group:
            await group.start(system.run, SupervisorSpec(children=(links,)))
            await system.start_child("links", router.link(self.node, self.dial()))
            yield system
            system.stop()

    async def logged(self, text: str) -> None:
        """Wait until the manager's log says so."""
        await anyio.to_thread.run_sync(lambda: until(lambda: text in self.manager.log, f"{text!r} in the log"))

    async def run(self, *words: str) -> str:
        return await anyio.to_thread.run_sync(lambda: self.manager.ok(*words))


@pytest.fixture(scope="module")
def rome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rome]:
    with node() as manager:
        manager.start("--advertise-addr", "127.0.0.1")
        yield Rome(manager, joined(manager, tmp_path_factory.mktemp("gaul"), "gaul"))


def joined(manager: Node, home: Path, name: str) -> Path:
    """A data directory that a join has filled."""
    [_, *words] = manager.ok("legion", "join-token").split()
    manager.ok(*words, "--node-name", name, "--data-dir", str(home), "--no-serve", "--skip-checks")
    return home


def signed(folder: Path, ca: ClusterCA, node: str, role: Role = "worker") -> NodeKeys:
    keys = NodeKeys(folder, time.time)
    keys.take(ca.sign(keys.request(), node, role), ca.certificate)
    return keys


def said_over(port: int, context: ssl.SSLContext) -> bytes:
    """What the door says to who asks it for a link over TLS, and to whom it is willing to say anything."""
    request = b"GET /link/down HTTP/1.1\r\nhost: rome\r\n\r\n"
    try:
        with (
            create_connection(("127.0.0.1", port), 10) as plain,
            context.wrap_socket(plain, server_hostname="rome") as secure,
        ):
            secure.sendall(request)
            return secure.recv(1)
    except OSError:
        return b""


async def test_without_a_certificate_of_the_cluster_nobody_hears_a_byte(rome: Rome, tmp_path: Path):
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
    assert said_over(rome.manager.link_port, nobody) == b""
    await rome.logged("in its handshake: PEER_DID_NOT_RETURN_A_CERTIFICATE")
    stranger = signed(tmp_path / "keys", ClusterCA(tmp_path / "ca", rome.cluster, time.time), rome.gaul)
    nobody.load_cert_chain(stranger.path)
    assert said_over(rome.manager.link_port, nobody) == b""
    await rome.logged("in its handshake: self-signed certificate in certificate chain")


async def test_a_certificate_alone_is_no_proof(rome: Rome):
    for headers, reason in (
        (dict[str, str](), "no proof"),
        (proof(rome.keys, "another manager", "link"), f"a proof of node {rome.gaul} for another audience"),
    ):
        with pytest.raises(ChannelClosed, match="its log says why"):
            async with rome.dial(headers)():
                pass
        await rome.logged(f"refused a connection: {reason}")


async def test_a_machine_that_says_it_is_another_one_is_refused(rome: Rome):
    async with rome.dial()() as channel:
        await channel.send(encode(Hello(rome.node, "b1", rome.cluster, 1, 1)))
        bye = [frame for frame in await everything(channel) if isinstance(frame, Bye)]
    assert bye[0].refused
    assert "a node speaks for itself alone" in bye[0].reason


async def test_a_machine_that_speaks_for_another_one_is_not_heard(rome: Rome):
    heard: list[PeerEvent] = []
    async with rome.linked(heard.append) as system:
        senate = system.ref(Address(rome.node, "senate"))
        answer = await senate.ask(report(rome.gaul), timeout=20)
        assert isinstance(answer, protocol.Accepted)
        for message in (
            report(rome.node),
            protocol.RemoveStack("shop"),
            protocol.GetState(),
            protocol.CreateToken("mine", "mine", "admin", "hash"),
        ):
            with pytest.raises(ActorError):
                await senate.ask(message, timeout=20)
        senate.tell(protocol.Follow(f"{rome.gaul}/agent/executor"))
        await rome.logged(f"of {rome.gaul}, to senate: it speaks for node {rome.node}")
    rows = {row["id"]: row for row in await anyio.to_thread.run_sync(lambda: rome.manager.rows("node", "ls"))}
    assert rows[rome.gaul]["address"] == "192.0.2.66"
    assert rows[rome.node]["address"] == "127.0.0.1"
    assert "mine" not in await rome.run("token", "ls")


async def test_garbage_closes_the_link_with_a_reason_and_harms_nobody(rome: Rome):
    random = Random(4003)
    hello = encode(Hello(rome.gaul, "b1", rome.cluster, 1, 1))
    attacks = [
        b"\xff" * 64,
        b"GET / HTTP/1.1\r\n\r\n",
        hello + (64 * 1024 * 1024).to_bytes(4, "big") + b"D" + b"x" * 4096,  # a frame of 64 MiB, it says
        hello[: len(hello) // 2],
        hello + hello,
        *(hello + random.randbytes(random.randrange(1, 3000)) for _ in range(40)),
        *(random.randbytes(random.randrange(1, 3000)) for _ in range(40)),
    ]
    for attack in attacks:
        with anyio.fail_after(60):
            try:
                async with rome.dial()() as channel:
                    await channel.send(attack)
                    await everything(channel)
            except ChannelClosed:
                pass
    await rome.logged(f"the link to {rome.gaul} broke: FrameError")
    assert await anyio.to_thread.run_sync(rome.manager.is_well)
    tree = await anyio.to_thread.run_sync(lambda: rome.manager.rows("actor", "ls"))
    assert sum(row["restarts"] for row in tree) == 0
    heard: list[PeerEvent] = []
    async with rome.linked(heard.append) as system:
        senate = system.ref(Address(rome.node, "senate"))
        answer = await senate.ask(report(rome.gaul), timeout=20)
        assert isinstance(answer, protocol.Accepted)


async def test_tokens_that_are_worthless_let_nobody_join(rome: Rome, tmp_path: Path):
    [_, *expired] = (await rome.run("legion", "join-token", "--ttl", "1s")).split()
    [_, *revoked] = (await rome.run("legion", "join-token")).split()
    known = [row["id"] for row in rome.manager.rows("legion", "join-token", "ls") if row["state"] == "good"]
    await rome.run("legion", "join-token", "rm", known[-1])
    await anyio.to_thread.run_sync(
        lambda: until(
            lambda: any(row["state"] == "expired" for row in rome.manager.rows("legion", "join-token", "ls")), "its end"
        )
    )
    before = len(rome.manager.rows("node", "ls"))
    for words, why in ((expired, "has expired"), (revoked, "was revoked")):
        home = tmp_path / why.split()[-1]
        ended = rome.manager.gbnt(*words, "--data-dir", str(home), "--no-serve", "--skip-checks")
        assert ended.code == 1
        assert why in ended.err
        assert words[words.index("--token") + 1] not in ended.text + rome.manager.log
        assert not (home / "node.json").exists()
        await rome.logged(f"/v1/join: join token {known[-1] if why == 'was revoked' else ''}")
    assert len(rome.manager.rows("node", "ls")) == before


async def test_a_machine_that_was_removed_is_let_in_no_more_and_its_open_link_ends(rome: Rome, tmp_path: Path):
    home = await anyio.to_thread.run_sync(lambda: joined(rome.manager, tmp_path / "iberia", "iberia"))
    iberia = Rome(rome.manager, home)
    heard: list[PeerEvent] = []
    async with iberia.linked(heard.append) as system:
        senate = system.ref(Address(rome.node, "senate"))
        assert isinstance(await senate.ask(report(iberia.gaul, "iberia"), timeout=20), protocol.Accepted)
        await rome.run("node", "rm", "iberia", "--force")
        with anyio.fail_after(60):
            while PeerDismissed(rome.node) not in heard:
                await anyio.sleep(0.05)
        with pytest.raises(ActorError):
            await senate.ask(report(iberia.gaul, "iberia"), timeout=20)
    with pytest.raises(Dismissed, match="this node was removed from the cluster"):
        async with iberia.dial()():
            pass
    await rome.logged(f"refused a connection: node {iberia.gaul} is no member")
    assert "iberia" not in {row["name"] for row in rome.manager.rows("node", "ls")}


async def everything(channel: Any) -> list[Any]:
    """All frames until the other side closes."""
    reader, frames = FrameReader(), list[Any]()
    try:
        while True:
            frames += reader.feed(await channel.receive())
    except ChannelClosed:
        return frames
