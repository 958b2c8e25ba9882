"""Published ports over the whole stack: each port of a machine has one holder."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.compose.bounds import LARGEST_PORT
from cluster.compose.problem import Problem
from cluster.compose.tree.nodes import Path
from cluster.spec import Port, StackSpec


def port_problems(spec: StackSpec) -> Iterator[Problem]:
    """Ports out of range, ports published twice, and more replicas than ports for them."""
    holders: dict[tuple[str, int], list[tuple[str, Path]]] = {}
    for name, service in spec.services.items():
        for index, port in enumerate(service.ports):
            path = ("services", name, "ports", index)
            if problem := _out_of_range(path, port) or _too_few(path, port, service.replicas):
                yield problem
            elif port.published and not port.published_last:
                taken = holders.setdefault((port.protocol, port.published), [])
                if other := next((holder for address, holder in taken if _overlap(address, port.host_ip)), None):
                    message = f"port {port.published}/{port.protocol} is published already, by {other[1]}"
                    yield Problem(path, message, "publish another port", "port-taken", other=other)
                taken.append((port.host_ip, path))


def _overlap(first: str, second: str) -> bool:
    every = ("", "0.0.0.0", "::")
    return first == second or first in every or second in every


def _out_of_range(path: Path, port: Port) -> Problem | None:
    numbers = [port.target, port.published or 1, port.published_last or 1]
    for number in numbers:
        if not 1 <= number <= LARGEST_PORT:
            return Problem(path, f"{number} is no port", f"ports are 1 to {LARGEST_PORT}", "range")
    if port.published_last and port.published_last < (port.published or 0):
        return Problem(path, "the range of ports ends before it begins", code="range")
    return None


def _too_few(path: Path, port: Port, replicas: int) -> Problem | None:
    """Each task publishes a port of its own: one address cannot be shared between tasks of one machine."""
    if not port.published:
        return None
    last = port.published_last or port.published
    count = last - port.published + 1
    if replicas <= count:
        return None
    enough = port.published + replicas - 1
    if enough > LARGEST_PORT:
        hint = "leave the published port out, and each task gets a free one"
    else:
        hint = f'publish a range, "{port.published}-{enough}:{port.target}", or leave the published port out'
    message = f"{replicas} replicas cannot share {_ports(port.published, last)}"
    return Problem(path, message, hint, "replicas-share-port", policy=True)


def _ports(first: int, last: int) -> str:
    return f"port {first}" if first == last else f"the {last - first + 1} ports {first}-{last}"
