"""A manager's word to nodes that have no link to it, and a worker's ear for that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from actors.herald import Unanswered
from cli.link_tls import ClientTls
from cluster.model import Node
from transport.channel import Peer, Refusal
from transport.herald import Unheard, announce
from transport.identity import IdentityError, proofs
from transport.identity.certificates import node_name
from transport.identity.joining import Address
from transport.identity.node_keys import NodeKeys
from transport.place import Place
from transport.seldom import Seldom

log = logging.getLogger(__name__)


class ManagerVoice:
    """Implements `actors.herald.Voice`: says that this manager is at `place`."""

    def __init__(self, keys: NodeKeys, cluster: str, place: Place, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._tls = ClientTls(keys)
        self._cluster = cluster
        self._place = place
        self._clock = clock
        self._seldom = Seldom()

    async def call(self, node: Node) -> None:
        """See `actors.herald.Voice`."""
        url = f"https://{Address(node.address, node.link_port)}"
        try:
            headers = proofs.proof(self._keys, node.id, "place", self._clock)
            await announce(url, self._tls.context(), node_name(self._cluster, node.id), headers, self._place)
        except (Unheard, IdentityError, OSError) as error:
            if self._seldom.due(f"{node.id} {error}"):
                log.info("node %s was not told where its manager is: %s", node.name, error)
            raise Unanswered(str(error)) from error


class ManagerOnly:
    """Implements `transport.channel.Authenticate` for a worker: of all nodes it hears its manager."""

    def __init__(self, authenticator: proofs.Authenticator, manager: str) -> None:
        self._authenticator = authenticator
        self._manager = manager

    def __call__(self, headers: Mapping[str, str]) -> Peer | Refusal:
        """The manager, or why not."""
        outcome = self._authenticator.authenticate(headers, "place", lambda node: node == self._manager)
        if isinstance(outcome, proofs.Refusal):
            return Refusal(outcome.reason, outcome.said)
        if outcome.role != "manager":
            return Refusal(f"node {outcome.node} has no manager's certificate", proofs.TURNED_AWAY)
        return Peer(outcome.node)
