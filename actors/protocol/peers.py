"""What is heard of other nodes. The composition root makes these of what its links tell."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.model import Node
from cluster.presence import Cause
from supervisor.message import message


@message("peer.heard/1")
@dataclass(frozen=True, slots=True)
class PeerHeard:
    """A node is there: for the first time, again, or in a new life."""

    node: str


@message("peer.doubted/1")
@dataclass(frozen=True, slots=True)
class PeerDoubted:
    """Some beats of a node are missing."""

    node: str


@message("peer.lost/1")
@dataclass(frozen=True, slots=True)
class PeerLost:
    """A node is down, and why; `left`: it said that it stops."""

    node: str
    reason: str
    left: bool = False


@message("peer.began/1")
@dataclass(frozen=True, slots=True)
class PeerBegan:
    """A node has begun a new life: what was told to the last one may be lost."""

    node: str


PeerNews = PeerHeard | PeerDoubted | PeerLost | PeerBegan


@message("peers.look/1")
@dataclass(frozen=True, slots=True)
class LookAtPeers:
    """To the `membership` actor: something was heard."""


@message("nodes.now/1")
@dataclass(frozen=True, slots=True)
class NodesNow:
    """To the `membership` actor: the machines as the state has them, and why no tasks are replaced, if so.

    `pause_above` is the percentage of machines above which their loss at once pauses replacement.
    """

    nodes: tuple[Node, ...]
    paused: str
    pause_above: int


@message("node.lost/1")
@dataclass(frozen=True, slots=True)
class LoseNode:
    """To the Senate: a machine is lost, in words. `replaced`: its tasks are to be replaced elsewhere."""

    node: str
    words: str
    replaced: bool
    cause: Cause = "silence"


@message("replacement.pause/1")
@dataclass(frozen=True, slots=True)
class PauseReplacement:
    """To the Senate: replace no tasks of machines that are down, for the reason in `words`; empty: go on."""

    words: str


@message("certificate.renew/1")
@dataclass(frozen=True, slots=True)
class RenewCertificate:
    """To a node's `certificate` actor: the state gives it another role than its certificate."""


@message("agent.dismissed/1")
@dataclass(frozen=True, slots=True)
class Dismissed:
    """To an agent, from its own node: the cluster has removed this machine. Nothing of the cluster is to stay here."""


@message("agent.introduce/1")
@dataclass(frozen=True, slots=True)
class Introduce:
    """To an agent: say who you are, for what was told of you or to you may be lost."""
