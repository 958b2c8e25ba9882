"""A manager's part of the composition root: store, authority, every door, and the links that workers open."""

from __future__ import annotations

from functools import partial

from actors.border import why_not
from actors.manager_tree import Parts, tree
from actors.mandate import Mandate
from actors.roll import Roll
from cli.certificates import SignedHere, of_the_api
from cli.credential import FirstCredential
from cli.gate import AuthorityGate
from cli.ground import Ground, bound
from cli.link_tls import server_context
from cli.local_engine import LocalEngine
from cli.machine import address_towards_default_route, is_loopback
from cli.peers import LegionPeers, noted_in
from cli.streams import Streams
from cli.vault import AuthorityVault
from cli.voice import ManagerVoice
from cluster import addresses
from gubernator import __version__
from portal.api.app import create_api
from portal.backend import Backend, Identity
from portal.door import Door
from portal.meters import Meters
from portal.pulse import Pulse
from portal.session import Sessions, sessions
from portal.sockets import listen_unix
from portal.telemetry import create_telemetry
from store.snapshots import Snapshots
from store.sqlite import SqliteStore
from supervisor.address import Address
from supervisor.spec import ChildSpec, SupervisorSpec
from transport.conduits import Conduits
from transport.events import PeerEvent
from transport.identity import ClusterCA
from transport.identity.node_keys import NodeKeys
from transport.identity.proofs import Authenticator
from transport.listener import Listener, serve
from transport.place import Place


class ManagerRole:
    """Implements `cli.ground.Role`."""

    def __init__(self, ground: Ground, store: SqliteStore, authority: ClusterCA) -> None:
        self._ground = ground
        self._store = store
        self._authority = authority
        self._vault = AuthorityVault(authority)
        self._address = ground.options.advertise_addr or address_towards_default_route()
        self._sessions = Sessions(ground.system)
        self._credential = FirstCredential(ground.options, ground.home, ground.system, authority)
        self._roll = Roll()
        self._keys = NodeKeys(ground.home.keys, ground.clock)
        node, cluster = ground.identity.node, ground.identity.cluster
        authenticator = Authenticator(authority.certificate, cluster, {node}, ground.clock)
        self._conduits = Conduits(ground.router.accept)
        self._peers = LegionPeers(ground.router, self._conduits, self._roll, authenticator, ground.clock)
        self._note = noted_in(self._roll, ground.system)
        ground.router.attend(self._heard, why_not)
        self._meters = Meters(__version__)

    def root(self) -> SupervisorSpec:
        """See `cli.ground.Role`."""
        return tree(self._parts(), self._doors())

    async def ready(self) -> str:
        """See `cli.ground.Role`."""
        name = self._ground.identity.name
        await self._credential.ensure(name)
        return f"{name} serves on https://127.0.0.1:{self._ground.options.api_port}"

    def _parts(self) -> Parts:
        ground = self._ground
        keys = self._keys
        place = Place(self._address, ground.options.api_port, ground.options.link_port)
        voice = ManagerVoice(keys, ground.identity.cluster, place, ground.clock)
        return Parts(
            machine=ground.machine(self._address),
            store=self._store,
            engine=ground.engine,
            resolver=ground.resolver(),
            configs=ground.configs(),
            shelf=Snapshots(ground.home.snapshots, self._store, clock=ground.clock),
            clock=ground.clock,
            random=ground.random,
            drawer=ground.drawer(),
            vault=self._vault,
            roll=self._roll,
            peers=self._peers,
            voice=None if is_loopback(self._address) else voice,
            entrance=self._entrance(),
            certificate=SignedHere(keys, self._authority, ground.identity.node),
            mandate=Mandate(ground.options.network_pool or addresses.DEFAULT_POOL),
            observe=self._meters.observe,
        )

    def _entrance(self) -> ChildSpec:
        links = self._ground.bound(self._ground.options.link_port)
        listener = Listener(self._peers.authenticate, self._conduits.accept)
        tls = partial(server_context, authority=self._authority.certificate)
        return ChildSpec("entrance", lambda: Door(listener, links, lambda: self._keys.path, tls, serve))

    def _doors(self) -> ChildSpec:
        ground = self._ground
        options, backend, authority = ground.options, self._backend(), self._authority
        certificate = partial(of_the_api, authority, ground.identity, self._address, options.api_names)
        api, telemetry = ground.bound(options.api_port), ground.bound(options.telemetry_port)
        trusted = bound(partial(listen_unix, ground.home.admin_socket))
        children = (
            sessions(),
            ChildSpec("api", lambda: Door(create_api(backend, manual_port=options.telemetry_port), api, certificate)),
            ChildSpec("admin", lambda: Door(create_api(backend, trusted=True), trusted)),
            ChildSpec("telemetry", lambda: Door(create_telemetry(backend, options.api_port), telemetry)),
            ChildSpec("pulse", lambda: Pulse(self._meters)),
        )
        return ChildSpec("portal", SupervisorSpec(children=children, intensity=10, period=60.0))

    def _backend(self) -> Backend:
        ground, engine = self._ground, LocalEngine(self._ground.engine, self._ground.identity.name)
        identity, options = ground.identity, ground.options
        streams = Streams(identity.node, ground.engine, self._ask, self._conduits)
        host = f"[{self._address}]" if ":" in self._address else self._address
        gate = AuthorityGate(self._authority, f"{host}:{options.api_port}", options.link_port, ground.clock)
        return Backend(
            identity=Identity(identity.name, identity.cluster, identity.node, __version__),
            ask=lambda path, message, timeout: ground.system.ref(path).ask(message, timeout=timeout),
            ask_node=lambda node, path, message, timeout: self._ask(Address(node, path), message, timeout),
            follow=self._sessions.follow,
            inspect=ground.system.inspect,
            logs=streams.logs,
            exec=streams.exec,
            build=engine.build,
            image_id=engine.image_id,
            registries=engine,
            vault=self._vault,
            first_sign_in=self._first_sign_in,
            clock=ground.clock,
            dead_letters=ground.dead_letters,
            meters=self._meters,
            checks={"resolver": ground.check_resolver, "certificate": ground.check_certificate},
            gate=gate,
        )

    def _heard(self, event: PeerEvent) -> None:
        self._note(event)
        self._conduits.heed(event)

    async def _ask(self, address: Address, message: object, timeout: float) -> object:
        return await self._ground.system.ref(address).ask(message, timeout=timeout)

    async def _first_sign_in(self) -> None:
        self._ground.home.credentials.unlink(missing_ok=True)
