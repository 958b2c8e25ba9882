"""A manager's word of where it is, over a real socket with the certificates that nodes have."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from actors.herald import Unanswered
from cli import allegiance
from cli.allegiance import Allegiance
from cli.link_tls import ClientTls, server_context
from cli.voice import ManagerOnly, ManagerVoice
from cli.whereabouts import Whereabouts
from cluster.model import Node
from transport.herald import Ear
from transport.identity import ClusterCA, Role
from transport.identity.joining import Address, Manager
from transport.identity.node_keys import NodeKeys
from transport.identity.proofs import Authenticator
from transport.listener import serve
from transport.place import Place

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

CLUSTER = "c1"
PLACE = Place("192.0.2.9", 4000, 4003)


class Cluster:
    """An authority, and the keys of its nodes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = ClusterCA(folder / "ca", CLUSTER, time.time)

    def keys(self, node: str, role: Role) -> NodeKeys:
        keys = NodeKeys(self.folder / f"{node}-{role}", time.time)
        keys.take(self.ca.sign(keys.request(), node, role), self.ca.certificate)
        return keys


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path / "one")


@asynccontextmanager
async def worker(cluster: Cluster, heard: list[Place]) -> AsyncIterator[Node]:
    """Node n2, whose manager is n1."""
    keys = cluster.keys("n2", "worker")
    ear = Ear(ManagerOnly(Authenticator(keys.authority, CLUSTER, {"n2"}), "n1"), heard.append)
    sock = socket.create_server(("127.0.0.1", 0))
    async with anyio.create_task_group() as group:
        group.start_soon(serve, ear, sock, server_context(keys.path, keys.authority))
        yield Node("n2", "gaul", "worker", "down", "", "127.0.0.1", 0.0, link_port=sock.getsockname()[1])
        group.cancel_scope.cancel()


async def call(keys: NodeKeys, node: Node) -> None:
    await ManagerVoice(keys, CLUSTER, PLACE, time.time).call(node)


async def test_a_worker_hears_its_manager(cluster: Cluster):
    heard: list[Place] = []
    async with worker(cluster, heard) as node:
        await call(cluster.keys("n1", "manager"), node)
    assert heard == [PLACE]


@pytest.mark.parametrize(("name", "role"), [("n3", "manager"), ("n1", "worker"), ("n2", "worker")])
async def test_it_hears_no_other_node(cluster: Cluster, name: str, role: Role, caplog: pytest.LogCaptureFixture):
    heard: list[Place] = []
    async with worker(cluster, heard) as node:
        with pytest.raises(Unanswered, match="answered 403"):
            await call(cluster.keys(name, role), node)
    assert heard == []
    assert "refused a word of where a manager is" in caplog.text


async def test_it_hears_nobody_of_another_cluster(cluster: Cluster, tmp_path: Path):
    heard: list[Place] = []
    stranger = Cluster(tmp_path / "two")
    async with worker(cluster, heard) as node:
        keys = stranger.keys("n1", "manager")
        with pytest.raises(Unanswered, match="cannot be reached"):
            await call(keys, node)
    assert heard == []


async def test_certificates_are_read_once_each(cluster: Cluster):
    keys = cluster.keys("n1", "manager")
    tls = ClientTls(keys)
    first = tls.context()
    assert tls.context() is first
    keys.take(cluster.ca.sign(keys.request(), "n1", "manager"), cluster.ca.certificate)
    assert tls.context() is not first
    assert tls.context() is tls.context()


async def test_nobody_there_is_said(cluster: Cluster):
    with pytest.raises(Unanswered, match=r"127.0.0.1:1 cannot be reached"):
        await call(cluster.keys("n1", "manager"), Node("n2", "g", "worker", "down", "", "127.0.0.1", 0.0, link_port=1))


async def test_what_was_heard_is_looked_at_first_and_kept(tmp_path: Path):
    file = tmp_path / "legion.json"
    sworn = Allegiance("worker", Address("rome.example", 4000), (Manager("n1", "rome", "192.0.2.1", 4003),))
    allegiance.save(file, sworn)
    where = Whereabouts(sworn, time.time)
    assert str(where.link) == "rome.example:4003"
    assert where.learn(PLACE)
    assert not where.learn(PLACE)
    assert (str(where.api), str(where.link)) == ("192.0.2.9:4000", "192.0.2.9:4003")
    allegiance.moved(file, PLACE)
    kept = allegiance.load(file)
    assert kept is not None
    assert str(Whereabouts(kept, time.time).link) == "192.0.2.9:4003"
    assert kept.manager.node == "n1"
