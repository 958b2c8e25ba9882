"""Whether the cluster's range of addresses is free on this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from cli.doctor.facts import Down, Engine, EngineNetwork, Route
from cli.doctor.finding import Finding, Unseen, ok, problem, unseen, warning
from cluster.addresses import DEFAULT_POOL

CHECK = "subnets"
LOOK = "see what stands at `engine`, and look again"
# What the engine calls its devices: judged as its networks, whose names a person knows.
BRIDGES = ("br-", "docker")
# Where another range is looked for: private, and seldom anybody's.
CANDIDATES = tuple(f"10.{number}.0.0/16" for number in range(201, 255))

Net = ipaddress.IPv4Network


def judged(pool: str, routes: Sequence[Route] | Unseen, engine: Engine | Down | Unseen) -> Iterator[Finding]:
    """Clashes of the pool with ways to other places, and with networks of the engine that are not gbnt's.

    A network within the pool is gone around when a new one is cut; a way through the same addresses cannot be.
    """
    if isinstance(routes, Unseen):
        yield unseen(CHECK, routes)
        return
    networks = engine.networks if isinstance(engine, Engine) else ()
    whole, clashes = _net(pool), 0
    for name, subnet in _of_engine(networks):
        if whole.overlaps(subnet):
            clashes += 1
            judged = problem if subnet.supernet_of(whole) else warning
            fix = f"docker network rm {name}, or begin the cluster with another range: {_another(routes, networks)}"
            yield judged(CHECK, f"the engine's network {name} ({subnet}) lies in the cluster's range {pool}", fix)
    known = {subnet for network in networks for subnet in map(_net, _fours(network))}
    for route in routes:
        subnet = _net(route.subnet)
        if whole.overlaps(subnet) and subnet not in known and not route.device.startswith(BRIDGES):
            clashes += 1
            found = f"{subnet} is reached through {route.device}, and lies in the cluster's range {pool}"
            yield problem(CHECK, found, f"begin the cluster with another range: {_another(routes, networks)}")
    if clashes:
        return
    if isinstance(engine, Engine):
        yield ok(CHECK, f"{pool} is free")
    else:
        yield unseen(CHECK, Unseen(f"no way leads into {pool}, but which networks the engine has is unknown"), LOOK)


def _of_engine(networks: Sequence[EngineNetwork]) -> Iterator[tuple[str, Net]]:
    for network in networks:
        if not network.ours:
            yield from ((network.name, _net(subnet)) for subnet in _fours(network))


def _another(routes: Sequence[Route], networks: Sequence[EngineNetwork]) -> str:
    """The option that gives the cluster a range which is free here."""
    used = [_net(route.subnet) for route in routes]
    used += [_net(subnet) for network in networks for subnet in _fours(network)]
    free = (pool for pool in CANDIDATES if not any(_net(pool).overlaps(other) for other in used))
    return f"`gbnt serve --network-pool {next(free, DEFAULT_POOL)}`"


def _fours(network: EngineNetwork) -> list[str]:
    return [subnet for subnet in network.subnets if ":" not in subnet]


def _net(text: str) -> Net:
    return ipaddress.IPv4Network(text, strict=False)
