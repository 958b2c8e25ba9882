"""What names mean on one machine's networks, and what the resolver says to a question: pure data, pure decision.

A name belongs to a network, and only containers on that network can ask for it. A known name is answered here and
nowhere else: with the addresses of its healthy replicas, or with an empty answer while there are none. It is never
forwarded, or a stranger's host of the same name upstream would get the traffic meant for a service that is restarting.

| name | its addresses |
|---|---|
| `web`, an alias | the healthy replicas of the service, to who shares a network with it |
| `web.shop`, `web.shop.gbnt` | the same; the second is never anybody else's |
| `tasks.web`, `tasks.web.shop`, `tasks.web.shop.gbnt` | the same, as Swarm calls them |
| `2.web.shop`, `2.web.shop.gbnt` | the replica in slot 2 alone |
| `rome-1.gbnt` | the machine of that name |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, ip_address, ip_network
from itertools import islice, takewhile
from typing import Literal

Ports = tuple[tuple[int, str], ...]
"""Port numbers, each with its protocol."""

Verdict = Literal["answer", "forward", "refuse", "unknown"]
DOMAIN = "gbnt"
MOST_SERVERS = 1000  # in an answer: who asks for them makes all others wait
REVERSE = ".in-addr.arpa"  # RFC 1035, section 3.5
TASKS = "tasks."
"""Before a service's name: all of its replicas, which a name without it means here, too."""


@dataclass(frozen=True, slots=True)
class Zone:
    """The names of one network. `gateway` is the address the resolver listens on, `subnet` in CIDR notation.

    From an `internal` network nothing leads outside, and neither do questions: they could carry data out.
    `names` maps a name in the form that `canonical` gives to the addresses of its healthy replicas; a service that
    has none now is there with an empty tuple. `hosts` maps the address of each replica, healthy or not, to its own
    name, as `2.web.shop`. `ports` are those that a service's file publishes, by its name in its stack (`web.shop`),
    inside of its containers, each with its protocol.
    """

    gateway: str
    subnet: str
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    internal: bool = False
    hosts: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, Ports] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Zones:
    """Everything that one machine's resolver knows. `serial` grows with each change and is only ever reported back.

    `networks` maps the engine's name of a network to its zone. `clients` maps the address of each container on this
    machine, on each of its networks, to all the networks it is on: the first that knows a name decides. `machines` are
    the cluster's, by name, with their addresses of IPv4.
    """

    serial: int = 0
    networks: Mapping[str, Zone] = field(default_factory=dict)
    clients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    machines: Mapping[str, str] = field(default_factory=dict)

    def gateways(self) -> Mapping[str, str]:
        """Each address to listen on, and the network it is the gateway of."""
        return {zone.gateway: network for network, zone in self.networks.items()}


@dataclass(frozen=True, slots=True)
class Server:
    """Where one replica of a service serves: a port, and the name and address of its host (RFC 2782)."""

    port: int
    host: str
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with a question: answer it (it may be with nothing), forward it, refuse it, or say that nothing is so
    called. Of `addresses`, `servers` and `host` an answer has what the type of record asks for.
    """

    verdict: Verdict
    addresses: tuple[str, ...] = ()
    servers: tuple[Server, ...] = ()
    host: str = ""

    @property
    def has_any(self) -> bool:
        """Whether there is a record to answer with."""
        return bool(self.addresses or self.servers or self.host)


FORWARD = Answer("forward")
REFUSE = Answer("refuse")
EMPTY = Answer("answer")
UNKNOWN = Answer("unknown")


def answer(zones: Zones, client: str, gateway: str, name: str, kind: str) -> Answer:
    """Decide one question: `client` asked the resolver on `gateway` for `name`, record type `kind` ("A", "SRV", ...).

    The caller shuffles what is found. Other types than A, SRV, PTR and ANY are empty for a known name. A client outside
    every network is refused, known name or not: the resolver is no open forwarder. So is a client that is on internal
    networks alone, for a name that is not known.
    """
    scope = [zones.networks[network] for network in _scope(zones, client, gateway) if network in zones.networks]
    if not scope:
        return REFUSE
    wanted = canonical(name)
    found = next(filter(None, (_answer_of(zone, wanted, kind) for zone in scope)), None)
    if found is not None:
        return found
    if wanted == DOMAIN or wanted.endswith(f".{DOMAIN}"):
        return _machine(zones, wanted.removesuffix(f".{DOMAIN}"), kind)
    return REFUSE if all(zone.internal for zone in scope) else FORWARD


def _answer_of(zone: Zone, wanted: str, kind: str) -> Answer | None:
    """What a zone answers; None where it does not know the name."""
    if wanted.endswith(REVERSE):
        return _pointer(zone, wanted, kind)
    if kind == "SRV":
        return _servers(zone, wanted)
    found = addresses(zone, wanted)
    if found is None:
        return None
    return Answer("answer", found) if kind in ("A", "ANY") else EMPTY


def addresses(zone: Zone, wanted: str) -> tuple[str, ...] | None:
    """The addresses that a canonical name answers with in a zone; None where it does not know the name."""
    name = wanted.removesuffix(f".{DOMAIN}")
    if name != wanted:
        return _own(zone, name.removeprefix(TASKS))
    for known in (wanted, wanted.removeprefix(TASKS)):
        if known in zone.names:
            return zone.names[known]
    return _replica(zone, wanted.removeprefix(TASKS))


def _own(zone: Zone, name: str) -> tuple[str, ...] | None:
    """The same of a service or a replica by its own full name: what others took for an alias is no matter here."""
    if "." not in name:
        return None
    found = zone.names.get(name)
    if found is None:
        return _replica(zone, name)
    return tuple(address for address in found if zone.hosts.get(address, "").partition(".")[2] == name)


def _replica(zone: Zone, name: str) -> tuple[str, ...] | None:
    """The address of the replica in a slot, as `2.web.shop`, while it is healthy; None where that is no such name."""
    slot, _, service = name.partition(".")
    if not slot.isdecimal() or "." not in service or service not in zone.names:
        return None
    return tuple(address for address in zone.names[service] if zone.hosts.get(address) == name)


def _servers(zone: Zone, wanted: str) -> Answer | None:
    """Where a service serves: `web`, `_tcp.web` or `_80._tcp.web`, in any form of its name."""
    labels = wanted.split(".")
    asked = [label[1:] for label in takewhile(lambda label: label.startswith("_"), labels)]
    found = addresses(zone, ".".join(labels[len(asked) :]))
    if found is None:
        return None
    return Answer("answer", servers=tuple(islice(_serving(zone, found, asked), MOST_SERVERS)))


def _serving(zone: Zone, found: Iterable[str], asked: Sequence[str]) -> Iterator[Server]:
    """Each port of each replica that is `asked` for, by its number and protocol, its protocol, or at all."""
    for address in found:
        host = zone.hosts.get(address, "")
        for port, protocol in zone.ports.get(host.partition(".")[2], ()):
            if asked in ([], [protocol], [str(port), protocol]):
                yield Server(port, f"{host}.{DOMAIN}", address)


def _pointer(zone: Zone, wanted: str, kind: str) -> Answer | None:
    """Whose an address is. All those of the network are known, in that nobody upstream is to be asked for them."""
    try:
        address = ip_address(".".join(reversed(wanted.removesuffix(REVERSE).split("."))))
    except ValueError:
        return None
    if address not in _subnet(zone.subnet):
        return None
    host = zone.hosts.get(str(address))
    if host is None:
        return UNKNOWN
    return Answer("answer", host=f"{host}.{DOMAIN}") if kind in ("PTR", "ANY") else EMPTY


def _machine(zones: Zones, name: str, kind: str) -> Answer:
    address = zones.machines.get(name)
    if address is None:
        return UNKNOWN
    return Answer("answer", (address,)) if kind in ("A", "ANY") else EMPTY


def canonical(name: str) -> str:
    """A name as `Zone.names` holds it: lower case, without the final dot."""
    return name.removesuffix(".").lower()


def service_names(stack: str, service: str, aliases: Iterable[str] = ()) -> tuple[str, ...]:
    """The names a service answers to on a network of its stack: its own, its own dot the stack's, and its aliases."""
    return tuple(dict.fromkeys(canonical(name) for name in (service, full_name(stack, service), *aliases)))


def full_name(stack: str, service: str) -> str:
    """A service's name with its stack's."""
    return canonical(f"{service}.{stack}")


def _scope(zones: Zones, client: str, gateway: str) -> tuple[str, ...]:
    """The networks whose names this client may ask for, in order; none for a stranger.

    A container that is not announced yet is taken for a member of the network that its address is of, not of the
    gateway it asked: from one network's container the gateway of another can be reached.
    """
    if client in zones.clients:
        return zones.clients[client]
    address = ip_address(client)
    if address.is_loopback:
        return tuple(network for network, zone in zones.networks.items() if zone.gateway == gateway)
    return tuple(network for network, zone in zones.networks.items() if address in _subnet(zone.subnet))


@lru_cache(maxsize=4096)
def _subnet(cidr: str) -> IPv4Network:
    network = ip_network(cidr, strict=False)
    if not isinstance(network, IPv4Network):
        raise ValueError(f"{cidr} is not an IPv4 subnet; networks with names need one")
    return network
