"""The links of a manager: who may come in, and what is told of those who do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial

from actors import protocol
from actors.places import MEMBERSHIP
from actors.roll import Roll
from cluster.membership import is_member
from cluster.model import State
from supervisor.spec import ChildSpec
from supervisor.system import System
from transport.channel import Peer, Refusal
from transport.conduits import Conduits
from transport.events import PeerDismissed, PeerDown, PeerEvent, PeerRestarted, PeerSuspect, PeerUp
from transport.identity import proofs
from transport.router import LinkRouter, log_event

NOT_YET = "this manager has only just begun: try again in a moment"
REMOVED = "this node was removed from the cluster"


class LegionPeers:
    """Implements `actors.gatekeeper.Peers` by a router, and `transport.channel.Authenticate` by proofs.

    A node that is forgotten is hung up on in `conduits` too. `clock` is the time of day.
    """

    def __init__(
        self,
        router: LinkRouter,
        conduits: Conduits,
        roll: Roll,
        authenticator: proofs.Authenticator,
        clock: Callable[[], float],
    ) -> None:
        self._router = router
        self._conduits = conduits
        self._roll = roll
        self._authenticator = authenticator
        self._clock = clock
        self._state: State | None = None
        self._links: dict[str, ChildSpec] = {}
        self._proven: dict[str, str] = {}

    def authenticate(self, headers: Mapping[str, str]) -> Peer | Refusal:
        """The node whose proof the headers hold, or why none."""
        state = self._state
        if state is None:
            return Refusal("the state is not read yet", NOT_YET)
        outcome = self._authenticator.authenticate(headers, "link", partial(is_member, state))
        if isinstance(outcome, proofs.Refusal):
            gone = outcome.stranger in state.departed
            return Refusal(outcome.reason, REMOVED if gone else outcome.said, dismissed=gone)
        self._proven[outcome.node] = outcome.role
        return Peer(outcome.node, max(0.0, outcome.expires_at - self._clock()))

    @property
    def linked(self) -> Collection[str]:
        """See `actors.gatekeeper.Peers`."""
        return self._router.peers

    @property
    def outdated(self) -> Collection[str]:
        """See `actors.gatekeeper.Peers`."""
        nodes = self._state.nodes if self._state is not None else {}
        return frozenset(node for node, role in self._proven.items() if node in nodes and nodes[node].role != role)

    def know(self, state: State) -> None:
        """See `actors.gatekeeper.Peers`."""
        self._state = state

    def link(self, node: str) -> ChildSpec:
        """See `actors.gatekeeper.Peers`."""
        if node not in self._links:
            self._links[node] = self._router.link(node)
        return self._links[node]

    def hang_up(self, node: str) -> None:
        """See `actors.gatekeeper.Peers`."""
        self._router.hang_up(node)

    def forget(self, node: str) -> None:
        """See `actors.gatekeeper.Peers`."""
        self._links.pop(node, None)
        self._proven.pop(node, None)
        self._router.forget(node)
        self._conduits.hang_up(node, REMOVED)
        self._roll.forget(node)


def noted_in(roll: Roll, system: System) -> Callable[[PeerEvent], None]:
    """What a manager's links tell goes into `roll`, and `system`'s membership actor looks at it."""

    def heard(event: PeerEvent) -> None:
        log_event(event)
        told = news(event)
        if told is not None:
            roll.note(told)
            system.ref(MEMBERSHIP).tell(protocol.LookAtPeers())

    return heard


def news(event: PeerEvent) -> protocol.PeerNews | None:
    """What a link tells, in the actors' words; None where they have none for it."""
    match event:
        case PeerUp(node):
            return protocol.PeerHeard(node)
        case PeerSuspect(node):
            return protocol.PeerDoubted(node)
        case PeerDown(node, reason, left):
            return protocol.PeerLost(node, reason, left)
        case PeerRestarted(node):
            return protocol.PeerBegan(node)
        case PeerDismissed():
            return None
