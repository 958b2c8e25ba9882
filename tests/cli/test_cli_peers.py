"""Whom a manager lets in at its door for links."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from actors.roll import Roll
from cli.certificates import SignedHere
from cli.peers import NOT_YET, REMOVED, LegionPeers
from cluster.model import Departed, Node, State
from supervisor.system import System
from transport.channel import ChannelClosed, Peer, Refusal
from transport.conduits import Conduits
from transport.hello import Local
from transport.identity import ClusterCA
from transport.identity.node_keys import NodeKeys
from transport.identity.proofs import TURNED_AWAY, Authenticator, proof
from transport.router import LinkRouter

CLUSTER = "c1"
NODE = Node("n2", "gaul", "worker", "ready", "ready", "192.0.2.2", 0.0)
DAY = 86400.0


class Door:
    """A manager's door, and a worker's keys."""

    def __init__(self, folder: Path) -> None:
        self.ca = ClusterCA(folder / "ca", CLUSTER, time.time)
        self.keys = NodeKeys(folder / "n2", time.time)
        self.keys.take(self.ca.sign(self.keys.request(), "n2", "worker"), self.ca.certificate)
        router = LinkRouter(Local("n1", "b1", CLUSTER), random=Random(1))
        router.bind(System("n1", router=router))
        authenticator = Authenticator(self.ca.certificate, CLUSTER, {"n1"})
        self.conduits = Conduits(router.accept)
        self.peers = LegionPeers(router, self.conduits, Roll(), authenticator, time.time)

    def knock(self) -> Peer | Refusal:
        return self.peers.authenticate(proof(self.keys, "n1", "link"))


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def with_node(**changed: object) -> State:
    node = replace(NODE, **changed)  # type: ignore[arg-type]
    return State(nodes={node.id: node})


def test_a_member_comes_in_for_as_long_as_its_certificate_lasts(door: Door):
    door.peers.know(with_node())
    peer = door.knock()
    assert peer == Peer("n2")
    assert isinstance(peer, Peer)
    assert 29 * DAY < peer.lasts <= 30 * DAY
    assert not door.peers.outdated


def test_nobody_comes_in_before_the_state_is_read(door: Door):
    assert door.knock() == Refusal("the state is not read yet", NOT_YET)


def test_who_was_removed_is_told_so_and_a_stranger_is_told_nothing(door: Door):
    door.peers.know(State(departed={"n2": Departed("n2", "gaul", 0.0)}))
    removed = door.knock()
    assert isinstance(removed, Refusal)
    assert (removed.said, removed.dismissed) == (REMOVED, True)
    door.peers.know(State())
    stranger = door.knock()
    assert isinstance(stranger, Refusal)
    assert (stranger.said, stranger.dismissed) == (TURNED_AWAY, False)
    assert "n2 is no member" in stranger.reason


@pytest.mark.anyio
async def test_who_is_forgotten_is_waited_for_no_more(door: Door):
    with door.conduits.expect("n2") as expected:
        door.peers.forget("n2")
        with pytest.raises(ChannelClosed, match=REMOVED):
            await expected.conduit()


def test_a_certificate_of_another_role_comes_in_and_is_to_be_renewed(door: Door):
    door.peers.know(with_node(role="manager"))
    assert isinstance(door.knock(), Peer)
    assert door.peers.outdated == {"n2"}
    door.keys.take(door.ca.sign(door.keys.request(), "n2", "manager"), door.ca.certificate)
    assert isinstance(door.knock(), Peer)
    assert not door.peers.outdated


def test_a_manager_signs_its_own_certificate_once(tmp_path: Path):
    ca = ClusterCA(tmp_path / "pki", CLUSTER, time.time)
    keys = NodeKeys(tmp_path / "pki", time.time)
    first = SignedHere(keys, ca, "n1").held
    assert first.expires_at - time.time() > 29 * DAY
    assert SignedHere(NodeKeys(tmp_path / "pki", time.time), ca, "n1").held == first
    facts = keys.facts
    assert facts is not None
    assert (facts.node, facts.role) == ("n1", "manager")
