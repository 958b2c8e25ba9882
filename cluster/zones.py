"""What names mean on one machine's networks, and what the resolver says to a question: pure data, pure decision.

A name belongs to a network, and only containers on that network can ask for it. A known name is answered here and
nowhere else: with the addresses of its healthy replicas, or with an empty answer while there are none. It is never
forwarded, or a stranger's host of the same name upstream would get the traffic meant for a service that is restarting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Literal

Verdict = Literal["answer", "forward", "refuse"]


@dataclass(frozen=True, slots=True)
class Zone:
    """The names of one network. `gateway` is the address the resolver listens on, `subnet` in CIDR notation.

    From an `internal` network nothing leads outside, and neither do questions: they could carry data out.
    `names` maps a name in the form that `canonical` gives to the addresses of its healthy replicas; a service that
    has none now is there with an empty tuple.
    """

    gateway: str
    subnet: str
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Zones:
    """Everything that one machine's resolver knows. `serial` grows with each change and is only ever reported back.

    `networks` maps the engine's name of a network to its zone. `clients` maps the address of each container on this
    machine, on each of its networks, to all the networks it is on: the first that knows a name decides.
    """

    serial: int = 0
    networks: Mapping[str, Zone] = field(default_factory=dict)
    clients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def gateways(self) -> Mapping[str, str]:
        """Each address to listen on, and the network it is the gateway of."""
        return {zone.gateway: network for network, zone in self.networks.items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with a question: answer it with these addresses (it may be none), forward it, or refuse it."""

    verdict: Verdict
    addresses: tuple[str, ...] = ()


FORWARD = Answer("forward")
REFUSE = Answer("refuse")
EMPTY = Answer("answer")


def answer(zones: Zones, client: str, gateway: str, name: str, kind: str) -> Answer:
    """Decide one question: `client` asked the resolver on `gateway` for `name`, record type `kind` ("A", "AAAA", ...).

    The caller shuffles the addresses. Types other than A and ANY are empty for a known name. A client outside every
    network is refused, known name or not: the resolver is no open forwarder. So is a client that is on internal
    networks alone, for a name that is not known.
    """
    scope = [zones.networks[network] for network in _scope(zones, client, gateway) if network in zones.networks]
    wanted = canonical(name)
    for zone in scope:
        if wanted in zone.names:
            return Answer("answer", zone.names[wanted]) if kind in ("A", "ANY") else EMPTY
    return REFUSE if all(zone.internal for zone in scope) else FORWARD


def canonical(name: str) -> str:
    """A name as `Zone.names` holds it: lower case, without the final dot."""
    return name.removesuffix(".").lower()


def service_names(stack: str, service: str, aliases: Iterable[str] = ()) -> tuple[str, ...]:
    """The names a service answers to on a network of its stack: its own, its own dot the stack's, and its aliases."""
    return tuple(dict.fromkeys(canonical(name) for name in (service, f"{service}.{stack}", *aliases)))


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
