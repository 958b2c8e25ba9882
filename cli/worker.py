"""A worker's part of the composition root: the link to its manager, and doors that need no state."""

from __future__ import annotations

import logging
from functools import partial

from actors.gatekeeper import LINKS
from actors.streams import streams
from actors.tree import EXECUTOR, WorkerParts, worker_tree
from cli.allegiance import Allegiance
from cli.certificates import SignedByManager, held
from cli.ground import Ground, bound
from cli.link_tls import ClientTls, server_context
from cli.machine import address_towards
from cli.notes import NOTES, NotePlace, NoteRemoval, Notes
from cli.peers import news
from cli.streams import opener
from cli.voice import ManagerOnly
from cli.whereabouts import Whereabouts
from gubernator import __version__
from portal.backend import Check, Identity
from portal.door import Door
from portal.meters import Meters
from portal.pulse import Pulse
from portal.sockets import listen_unix
from portal.worker import WorkerBackend, create_worker_api, create_worker_telemetry
from supervisor.spec import ChildSpec, SupervisorSpec
from transport.channel import Dial
from transport.conduits import Conduits
from transport.events import PeerDismissed, PeerEvent, PeerUp
from transport.herald import Ear
from transport.identity.joining import Member
from transport.identity.node_keys import NodeKeys
from transport.identity.proofs import Authenticator
from transport.listener import serve
from transport.place import Place
from transport.router import log_event

log = logging.getLogger(__name__)


class WorkerRole:
    """Implements `cli.ground.Role`. Raises CliError where the machine has no certificate of its cluster."""

    def __init__(self, ground: Ground, sworn: Allegiance) -> None:
        self._ground = ground
        self._sworn = sworn
        self._keys = NodeKeys(ground.home.keys, ground.clock)
        held(self._keys)
        self._tls = ClientTls(self._keys)
        self._whereabouts = Whereabouts(sworn, ground.clock)
        self._manager = sworn.manager.node
        self._dismissed = sworn.removed
        self._conduits = Conduits()
        self._meters = Meters(__version__)
        ground.router.attend(self._heard)

    def root(self) -> SupervisorSpec:
        """See `cli.ground.Role`."""
        ground, sworn = self._ground, self._sworn
        links = () if sworn.removed else (ground.router.link(self._manager, self._dialer()),)
        address = ground.options.advertise_addr or sworn.address or address_towards(self._whereabouts.link.host)
        parts = WorkerParts(
            machine=ground.machine(address, self._manager),
            engine=ground.engine,
            resolver=ground.resolver(),
            configs=ground.configs(),
            clock=ground.clock,
            random=ground.random,
            links=links,
            drawer=None if self._has_expired() else ground.drawer(),
            certificate=SignedByManager(Member(self._keys, self._manager), lambda: self._whereabouts.api),
            removed=lambda: self._dismissed,
        )
        notes = ChildSpec(NOTES, lambda: Notes(ground.home.legion))
        conduits = streams(ground.engine, opener(self._conduits, self._dialer))
        return worker_tree(parts, notes, conduits, self._doors())

    async def ready(self) -> str:
        """See `cli.ground.Role`."""
        name = self._ground.identity.name
        if self._dismissed:
            return f"{name} was removed from its cluster: it puts away what it had of that, and runs nothing"
        return f"{name} serves as a worker of the manager {self._sworn.manager.name} at {self._whereabouts.link}"

    def _dialer(self, conduit: str = "") -> Dial:
        return self._whereabouts.dialer(self._tls, self._ground.identity.cluster, conduit)

    def _heard(self, event: PeerEvent) -> None:
        log_event(event)
        told = news(event)
        if told is not None:
            self._ground.system.ref(EXECUTOR).tell(told)
        self._conduits.heed(event)
        if isinstance(event, PeerDismissed) and not self._dismissed:
            self._dismissed = True
            log.warning("the cluster has removed this node: what it had of that is put away here")
            self._ground.system.ref(NOTES).tell(NoteRemoval())
        place = self._whereabouts.met
        if isinstance(event, PeerUp) and place is not None:
            self._ground.system.ref(NOTES).tell(NotePlace(place))

    def _has_expired(self) -> bool:
        """Whether this node's certificate has ended: who knows what became of its tasks? It starts none of them."""
        return held(self._keys).expires_at <= self._ground.clock()

    # -- the doors -------------------------------------------------------------------------------------------------

    def _doors(self) -> ChildSpec:
        ground, backend = self._ground, self._backend()
        telemetry = ground.bound(ground.options.telemetry_port)
        links, ear = ground.bound(ground.options.link_port), self._ear()
        tls = partial(server_context, authority=self._keys.authority)
        trusted = bound(partial(listen_unix, ground.home.admin_socket))
        children = (
            ChildSpec("admin", lambda: Door(create_worker_api(backend), trusted)),
            ChildSpec("telemetry", lambda: Door(create_worker_telemetry(backend), telemetry)),
            ChildSpec("pulse", lambda: Pulse(self._meters)),
            ChildSpec("links", lambda: Door(ear, links, lambda: self._keys.path, tls, serve)),
        )
        return ChildSpec("portal", SupervisorSpec(children=children, intensity=10, period=60.0))

    def _ear(self) -> Ear:
        identity = self._ground.identity
        authenticator = Authenticator(self._keys.authority, identity.cluster, {identity.node}, self._ground.clock)
        return Ear(ManagerOnly(authenticator, self._manager), self._learn)

    def _learn(self, place: Place) -> None:
        """The manager says where it is: it is dialled there next, and once it answers there, from the next start on."""
        if self._whereabouts.learn(place):
            log.info("the manager says that it is at %s", self._whereabouts.link)

    def _backend(self) -> WorkerBackend:
        ground = self._ground
        identity = ground.identity
        return WorkerBackend(
            identity=Identity(identity.name, identity.cluster, identity.node, __version__),
            manager=lambda: str(self._whereabouts.api),
            inspect=ground.system.inspect,
            dead_letters=ground.dead_letters,
            meters=self._meters,
            checks={
                "manager": self._check_manager,
                "engine": self._check_engine,
                "resolver": ground.check_resolver,
                "certificate": ground.check_certificate,
            },
        )

    async def _check_manager(self) -> Check:
        if self._dismissed:
            return Check(False, "has removed this node: `gbnt reset` makes the machine free to join again")
        found = self._ground.system.inspect(f"{LINKS}/{self._manager}")
        detail = found[0].detail if found else {}
        up = detail.get("health") == "up"
        return Check(up, "answers" if up else str(detail.get("trouble") or "does not answer"))

    async def _check_engine(self) -> Check:
        found = self._ground.system.inspect(EXECUTOR)
        said = str(found[0].detail.get("engine", "")) if found else "not heard of yet"
        return Check(said == "ready", said)
