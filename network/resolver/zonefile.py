"""Zones as JSON: what the keeper publishes, and the file from which a restarted resolver answers at once."""

from __future__ import annotations

import json
import os
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from cluster.zones import Ports, Zone, Zones, canonical


def encode(zones: Zones) -> dict[str, Any]:
    """Zones as values that `json` takes."""
    return {
        "serial": zones.serial,
        "networks": {
            network: {
                "gateway": zone.gateway,
                "subnet": zone.subnet,
                "names": dict(zone.names),
                "internal": zone.internal,
                "hosts": dict(zone.hosts),
                "ports": dict(zone.ports),
            }
            for network, zone in zones.networks.items()
        },
        "clients": dict(zones.clients),
        "machines": dict(zones.machines),
    }


def decode(value: Any) -> Zones:
    """Zones from what `encode` gave, with names made canonical. Raises ValueError for anything else."""
    try:
        networks = {str(network): _zone(zone) for network, zone in value["networks"].items()}
        clients = {str(IPv4Address(client)): _strings(names) for client, names in value["clients"].items()}
        machines = {str(name): str(IPv4Address(address)) for name, address in value.get("machines", {}).items()}
        return Zones(int(value["serial"]), networks, clients, machines)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"these are not zones: {error!r}") from error


def load(path: Path) -> Zones:
    """The zones last saved; none at all where there is no file. Raises ValueError for a file that is not whole."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Zones()
    return decode(json.loads(text))


def save(path: Path, zones: Zones) -> None:
    """Replace the file as one step: a reader, or a start after a kill, finds the old zones or the new."""
    written = path.with_suffix(".new")
    written.write_text(json.dumps(encode(zones)))
    os.replace(written, path)


def _zone(value: Any) -> Zone:
    names = {
        canonical(name): tuple(str(IPv4Address(address)) for address in _strings(addresses))
        for name, addresses in value["names"].items()
    }
    return Zone(
        gateway=str(IPv4Address(value["gateway"])),
        subnet=str(IPv4Network(value["subnet"], strict=False)),
        names=names,
        internal=bool(value["internal"]),
        # What was saved by a resolver of before has neither.
        hosts={str(IPv4Address(address)): str(name) for address, name in value.get("hosts", {}).items()},
        ports={str(name): _ports(ports) for name, ports in value.get("ports", {}).items()},
    )


def _ports(values: Any) -> Ports:
    return tuple((int(port), str(protocol)) for port, protocol in values)


def _strings(values: Any) -> tuple[str, ...]:
    if isinstance(values, str):
        raise TypeError(f"a list was expected, not {values!r}")
    return tuple(str(value) for value in values)
