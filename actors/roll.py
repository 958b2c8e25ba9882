"""Who of the other nodes is there, as their links say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import anyio

from actors import protocol
from cluster.presence import Presence


class Roll:
    """Written by whoever hears the links, read by the membership actor; it outlives that.

    Its times are seconds of `anyio.current_time()`: the time of day may be set, which is no sign of life or of death.
    """

    def __init__(self) -> None:
        self._presences: dict[str, Presence] = {}

    @property
    def presences(self) -> Mapping[str, Presence]:
        """What is known of each node that was heard of."""
        return self._presences

    def note(self, news: protocol.PeerNews) -> None:
        """Take in what a link says, now. Never blocks, never raises."""
        now = anyio.current_time()
        known = self._presences.get(news.node) or Presence("down", now)
        match news:
            case protocol.PeerHeard(node) if known.status == "down":
                self._presences[node] = Presence("up", now, ups=known.ups + 1)
            case protocol.PeerHeard(node):
                self._presences[node] = replace(known, status="up")
            case protocol.PeerDoubted(node):
                self._presences[node] = replace(known, status="suspect")
            case protocol.PeerBegan(node):
                self._presences[node] = Presence("up", now, ups=known.ups + 1)
            case protocol.PeerLost(node, reason, left):
                self._presences[node] = Presence("down", now, reason, left, known.ups)

    def forget(self, node: str) -> None:
        """That node is no more of ours."""
        self._presences.pop(node, None)
