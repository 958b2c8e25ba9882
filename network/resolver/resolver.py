"""The resolver itself: the zones in force, and one packet in, one packet out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from cluster.zones import Answer, Zones, answer
from network.resolver import message
from network.resolver.message import Malformed, Query
from network.resolver.upstream import Forwarder, Transport, Unanswered


class Resolver:
    """Answers packets by the zones in force; setting `zones` puts others in force from the next packet on."""

    def __init__(self, forwarder: Forwarder) -> None:
        self.zones = Zones()
        self._forwarder = forwarder
        self._counters: Counter[str] = Counter(
            dict.fromkeys(("answered", "empty", "unknown", "forwarded", "refused"), 0)
        )
        self._counters.update(dict.fromkeys(("malformed", "unanswered"), 0))

    def counters(self) -> Mapping[str, int]:
        """How many questions were answered, empty (known, none healthy), unknown (nobody has the name), and so on."""
        return dict(self._counters)

    def decide(self, packet: bytes, client: str, gateway: str, transport: Transport) -> bytes | Query | None:
        """The reply to a packet; or the query in it where it has to be forwarded; or None where silence is due."""
        query = message.read(packet)
        if isinstance(query, Malformed):
            self._counters["malformed"] += 1
            return query.reply
        decision = answer(self.zones, client, gateway, query.name, query.kind)
        if decision.verdict == "refuse":
            self._counters["refused"] += 1
            return message.failure(packet, message.REFUSED)
        if decision.verdict == "forward":
            return query
        if decision.verdict == "unknown":
            self._counters["unknown"] += 1
            return message.unknown(query)
        self._counters["answered" if decision.has_any else "empty"] += 1
        return message.answered(query, _shuffled(decision), query.udp_size if transport == "udp" else message.MAX_SIZE)

    async def forward(self, query: Query, transport: Transport) -> bytes:
        """The upstream's reply to a query that `decide` gave back; a SERVFAIL where none answers."""
        try:
            reply = await self._forwarder.ask(query.packet, transport)
        except Unanswered:
            self._counters["unanswered"] += 1
            return message.failure(query.packet, message.SERVFAIL)
        self._counters["forwarded"] += 1
        return reply


def _shuffled(found: Answer) -> Answer:
    """The same in another order: a client that takes the first takes each as often."""
    return replace(
        found,
        addresses=tuple(random.sample(found.addresses, len(found.addresses))),
        servers=tuple(random.sample(found.servers, len(found.servers))),
    )
