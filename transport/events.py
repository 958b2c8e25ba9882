"""What a link tells of its peer."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.message import message


@message("peer.up/1")
@dataclass(frozen=True, slots=True)
class PeerUp:
    """The peer is there: for the first time, again after it was suspect or down, or in a new life.

    `boot` names its life. Messages can be lost where a life ends, so that both sides now tell their state in full.
    """

    node: str
    boot: str


@message("peer.suspect/1")
@dataclass(frozen=True, slots=True)
class PeerSuspect:
    """Some beats are missing. The connection is made anew where this node is the one that dials."""

    node: str


@message("peer.down/1")
@dataclass(frozen=True, slots=True)
class PeerDown:
    """The peer is silent for longer than the time-out, refused to talk or was refused, or said that it leaves."""

    node: str
    reason: str
    left: bool = False


@message("peer.restarted/1")
@dataclass(frozen=True, slots=True)
class PeerRestarted:
    """The peer has begun a new life; `PeerUp` follows. Of what was not settled in its last one nothing arrives."""

    node: str
    boot: str


@message("peer.dismissed/1")
@dataclass(frozen=True, slots=True)
class PeerDismissed:
    """The peer, a manager, says that this node was removed from the cluster. It is dialled no more."""

    node: str


PeerEvent = PeerUp | PeerSuspect | PeerDown | PeerRestarted | PeerDismissed
