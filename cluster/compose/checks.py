"""Whether a whole spec makes sense, wherever it came from.

The loader runs these checks on what it read from a file, and the server repeats them on the document that it is
sent: whoever sends one need not have used the loader.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from cluster.autonomy import POLICIES, wrong_labels
from cluster.compose.bounds import MOST_CPUS, MOST_REPLICAS
from cluster.compose.configs import config_problems
from cluster.compose.findings import MOST_FINDINGS, Finding, quote
from cluster.compose.gates import gate_problems
from cluster.compose.names import name_problems
from cluster.compose.problem import Problem
from cluster.compose.publishing import port_problems
from cluster.constraints import NoConstraint, is_key, parse
from cluster.privileges import ALL
from cluster.spec import ServiceSpec, StackSpec

PLATFORM = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,2}")
LONGEST_FILE_NAME = 255
LEAST_MEMORY = 6 * 1024 * 1024
LEAST_CPUS = 0.01
LEAST_HEALTH_DURATION = 0.001


def validate(spec: StackSpec) -> tuple[Finding, ...]:
    """The errors of a spec, at most 20; empty where it can be deployed. The findings have paths but no lines."""
    return tuple(problem.finding() for problem, _ in zip(problems(spec), range(MOST_FINDINGS), strict=False))


def wrong(spec: StackSpec) -> str:
    """The errors of a spec in one line; empty where it can be deployed."""
    return "; ".join(f"{found.path}: {found.message}" for found in validate(spec))


def problems(spec: StackSpec) -> Iterator[Problem]:
    """Every error of a spec, whether of what it says or of what can be done here."""
    if not spec.services:
        yield Problem((), "there are no services", "a stack needs one", "empty", policy=True)
    yield from name_problems(spec)
    for name, service in spec.services.items():
        yield from _numbers(name, service)
        yield from _health(name, service)
        yield from _mounts(name, service, spec)
        yield from _networks(name, service, spec)
        yield from _placement(name, service)
        yield from _platform(name, service)
        yield from _cgroup(name, service)
        yield from _autonomy(name, service)
        yield from _reservations(name, service)
    yield from _subnets(spec)
    yield from _container_names(spec)
    yield from port_problems(spec)
    yield from gate_problems(spec)
    yield from config_problems(spec)


def _autonomy(name: str, service: ServiceSpec) -> Iterator[Problem]:
    for path, said in wrong_labels(service):
        message = f"{quote(said)} is nothing that a service does without a manager"
        yield Problem(("services", name, *path), message, f"write {', '.join(POLICIES)}", "autonomy")


def _numbers(name: str, service: ServiceSpec) -> Iterator[Problem]:
    path = ("services", name)
    if not 0 <= service.replicas <= MOST_REPLICAS:
        message = f"{service.replicas} replicas are not between 0 and {MOST_REPLICAS}"
        yield Problem((*path, "deploy", "replicas"), message, code="range")
    limits = service.resources
    if limits.memory is not None and limits.memory < LEAST_MEMORY:
        message = f"a memory limit of {limits.memory} bytes is less than 6 MiB, the least that an engine takes"
        hint = 'write it as in "64m"'
        yield Problem((*path, "deploy", "resources", "limits", "memory"), message, hint, "range", policy=True)
    if limits.cpus is not None and limits.cpus < LEAST_CPUS:
        message = f"a limit of {limits.cpus:g} CPUs is less than {LEAST_CPUS}, the least that an engine takes"
        yield Problem((*path, "deploy", "resources", "limits", "cpus"), message, code="range", policy=True)
    if service.stop_grace_period < 0:
        yield Problem((*path, "stop_grace_period"), "is negative", code="range")


def _health(name: str, service: ServiceSpec) -> Iterator[Problem]:
    check = service.healthcheck
    for key in ("interval", "timeout", "start_period", "start_interval") if check else ():
        seconds = getattr(check, key)
        if seconds is not None and seconds != 0 and seconds < LEAST_HEALTH_DURATION:
            message = "is less than 1ms, the least that an engine takes"
            yield Problem(("services", name, "healthcheck", key), message, code="range", policy=True)


def _mounts(name: str, service: ServiceSpec, spec: StackSpec) -> Iterator[Problem]:
    targets: dict[str, None] = dict.fromkeys(entry.partition(":")[0] for entry in service.tmpfs)
    for index, mount in enumerate(service.mounts):
        path = ("services", name, "volumes", index)
        if mount.type == "volume" and mount.source and mount.source not in spec.volumes:
            hint = f'add it at the top level, "volumes: {{{mount.source}: }}", or write "./{mount.source}" for a path'
            yield Problem(path, f"there is no volume {quote(mount.source)}", hint, "undefined")
        if mount.type == "bind" and not mount.source.startswith("/"):
            yield Problem(path, f"the source {quote(mount.source)} is not an absolute path", code="path", policy=True)
        target = mount.target.rstrip("/")
        if not mount.target.startswith("/") or not target:
            message = f"{quote(mount.target)} cannot be a target"
            yield Problem(path, message, "name a folder below /", "path", policy=True)
        if target in targets:
            message = f"{quote(mount.target)} is mounted already"
            yield Problem(path, message, "remove one of the two", "duplicate", policy=True)
        targets[target] = None


def _networks(name: str, service: ServiceSpec, spec: StackSpec) -> Iterator[Problem]:
    if service.network_mode and service.networks:
        message = "has network_mode and networks"
        yield Problem(("services", name, "network_mode"), message, "remove one of the two", "conflict")
    for place in service.networks:
        path = ("services", name, "networks", place.network)
        network = spec.networks.get(place.network)
        if network is None:
            hint = f'add it at the top level, "networks: {{{place.network}: }}"'
            yield Problem(path, f"there is no network {quote(place.network)}", hint, "undefined")
        elif place.ipv4_address and service.replicas > 1:
            message = f"{service.replicas} replicas cannot share the address {place.ipv4_address}"
            yield Problem(path, message, "remove ipv4_address, or have one replica", "conflict", policy=True)
        elif place.ipv4_address and network.subnet and not _within(place.ipv4_address, network.subnet):
            message = f"{place.ipv4_address} is not an address of {network.subnet}"
            yield Problem(path, message, "choose one of the network's subnet", "range", policy=True)


def _placement(name: str, service: ServiceSpec) -> Iterator[Problem]:
    wanted = service.placement
    path = ("services", name, "deploy", "placement")
    for index, text in enumerate(wanted.constraints):
        try:
            parse(text)
        except NoConstraint as error:
            message = f"{quote(text)} {error.wrong}"
            yield Problem((*path, "constraints", index), message, error.hint, "constraint", policy=True)
    for index, key in enumerate(wanted.spread):
        if not is_key(key):
            message = f"{quote(key)} is nothing that machines differ in"
            yield Problem((*path, "preferences", index), message, code="constraint")
    if wanted.max_replicas_per_node < 0:
        yield Problem((*path, "max_replicas_per_node"), "is negative", code="range")


def _reservations(name: str, service: ServiceSpec) -> Iterator[Problem]:
    reserved, limits = service.reserved, service.resources
    reservations = ("services", name, "deploy", "resources", "reservations")
    if not 0 <= (reserved.cpus or 0.0) <= MOST_CPUS:  # neither is what is no number at all
        yield Problem((*reservations, "cpus"), f"{reserved.cpus:g} is not between 0 and {MOST_CPUS:g}", code="range")
    if (reserved.memory or 0) < 0:
        yield Problem((*reservations, "memory"), "is negative", code="range")
    for request in service.privileges.requests:
        if request.count < ALL:
            message = f"{request.count} is no number of devices"
            yield Problem((*reservations, "devices"), message, f"{ALL} is all of them", "range")
    for what, least, most in (("cpus", reserved.cpus, limits.cpus), ("memory", reserved.memory, limits.memory)):
        if least is not None and most is not None and least > most:
            hint = "raise the limit, or reserve less"
            yield Problem((*reservations, what), "reserves more than its limit", hint, "range", policy=True)


def _platform(name: str, service: ServiceSpec) -> Iterator[Problem]:
    if service.platform and not PLATFORM.fullmatch(service.platform):
        message = f"{quote(service.platform)} is no platform"
        yield Problem(("services", name, "platform"), message, 'write it as in "linux/arm64"', "platform")


def _cgroup(name: str, service: ServiceSpec) -> Iterator[Problem]:
    """Over a longer one Docker's start of a container never ends, and neither does its removal (20.10)."""
    parent = service.privileges.cgroup_parent
    if any(len(part.encode()) > LONGEST_FILE_NAME for part in parent.split("/")):
        message = f"{quote(parent[:40])} is longer than {LONGEST_FILE_NAME} bytes, the most of a file's name"
        yield Problem(("services", name, "cgroup_parent"), message, "name a shorter one", "range")


def _subnets(spec: StackSpec) -> Iterator[Problem]:
    """A file's are judged where they are read; a program's are not."""
    for key, network in spec.networks.items():
        try:
            ipaddress.ip_network(network.subnet or "0.0.0.0/0")
        except ValueError:
            message = f"{quote(network.subnet)} is no subnet"
            yield Problem(("networks", key, "subnet"), message, 'write it as in "10.1.0.0/24"', "range")


def _within(address: str, subnet: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(subnet)
    except ValueError:
        return False


def _container_names(spec: StackSpec) -> Iterator[Problem]:
    holders: dict[str, str] = {}
    for name, service in spec.services.items():
        if not service.container_name:
            continue
        path = ("services", name, "container_name")
        if service.replicas > 1:
            message = f"{service.replicas} replicas cannot share one container name"
            yield Problem(path, message, "remove container_name", "conflict")
        if (other := holders.setdefault(service.container_name, name)) != name:
            yield Problem(path, f"is the container name of {other} already", "choose another", "duplicate")
