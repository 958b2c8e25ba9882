"""What the fake engine keeps and its rules: names, addresses and ports are held once, and time brings what is planned.

No waiting happens here. Each rule is told the time, and `settle` catches up with all that fell due since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from cluster.container import ContainerSpec, Endpoint, PortBinding
from engine.docker_images import full_reference
from engine.fake_container import KILLED, FakeContainer, FakeImage, Step
from engine.fake_registry import id_of
from engine.port import (
    AddressTaken,
    BoundPort,
    Conflict,
    EngineEvent,
    Health,
    ImageInfo,
    NameTaken,
    NetworkInfo,
    NetworkRequest,
    NotFound,
    PortTaken,
    Refused,
    VolumeInfo,
)

# Two containers that run with the same three are one task twice.
SLOT_LABELS = ("gbnt.stack", "gbnt.service", "gbnt.slot")

FIRST_FREE_PORT = 49153


@dataclass(slots=True)
class World:
    """The engine's lasting state. `tell` is called with each event as it happens.

    `skew` is what the machine's time of day was set by: all that is told has that time, and no plan waits for it.
    """

    tell: Callable[[EngineEvent], None]
    local: dict[str, FakeImage] = field(default_factory=dict)
    containers: dict[str, FakeContainer] = field(default_factory=dict)
    networks: dict[str, tuple[str, NetworkRequest]] = field(default_factory=dict)
    volumes: dict[str, VolumeInfo] = field(default_factory=dict)
    held_ports: set[int] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    removed_images: set[str] = field(default_factory=set)
    skew: float = 0.0
    _made: int = 0

    # -- time -----------------------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """When the next planned step falls due."""
        return min((at for at, _, _ in self._planned()), default=None)

    def settle(self, now: float) -> None:
        """Let everything happen that fell due, in the order of its time."""
        while due := min((step for step in self._planned() if step[0] <= now), default=None):
            at, identity, step = due
            container = self.containers[identity]
            del container.plan[step]
            if step == "exit":
                self.end(container, container.next_exit_code, at, oom_killed=container.image.oom_killed)
            else:
                self.set_health(container, step, at)

    def _planned(self) -> Iterator[tuple[float, str, Step]]:
        for container in self.containers.values():
            for step, at in container.plan.items():
                yield at, container.id, step

    # -- containers -----------------------------------------------------------------------------------------------

    def find(self, reference: str) -> FakeContainer | None:
        """The container of that id or name."""
        named = (container for container in self.containers.values() if container.spec.name == reference)
        return self.containers.get(reference) or next(named, None)

    def get(self, reference: str) -> FakeContainer:
        """The same, or NotFound."""
        if (container := self.find(reference)) is None:
            raise NotFound(f"container {reference[:12]} does not exist on this machine")
        return container

    def image(self, reference: str) -> ImageInfo | None:
        """The image that is here under that name, or is that id."""
        for name, image in self.local.items():
            if reference == id_of(name, image) or name == full_reference(reference):
                return ImageInfo(id_of(name, image), (name,), healthcheck=image.healthcheck)
        return None

    def image_id(self, reference: str) -> str:
        """The id of an image that is here or was, by what a container was made from."""
        found = self.image(reference)
        return found.id if found is not None else reference

    def remove_image(self, name: str) -> None:
        """Take an image away, and remember that for one that was here from the start."""
        if any(full_reference(container.spec.image) == name for container in self.containers.values()):
            raise Conflict(f"image {name} is still used by a container; remove that first")
        self.removed_images.add(name)
        self.local.pop(name, None)

    def create(self, spec: ContainerSpec, now: float) -> FakeContainer:
        image = self.local.get(full_reference(spec.image))
        if image is None:
            raise NotFound(f"image {spec.image} is not on this machine; pull it first")
        if any(other.spec.name == spec.name for other in self.containers.values()):
            raise NameTaken(f'another container has the name "{spec.name}"; remove it first')
        for mount in spec.mounts:
            if mount.type == "volume" and mount.source:
                self.volumes.setdefault(mount.source, VolumeInfo(mount.source, {}))
        container = FakeContainer(self._identity(spec.name), spec, image, now + self.skew)
        self.containers[container.id] = container
        self._event(container, "create", now)
        return container

    def start(self, container: FakeContainer, now: float) -> None:
        if container.running:
            return
        try:
            addresses = self._addresses(container)
            ports = self._ports(container)
            if container.image.refuses:
                raise Refused(container.image.refuses)
        except (NotFound, Conflict, Refused) as error:
            container.error = str(error)
            raise
        container.addresses, container.ports = addresses, ports
        container.begin(now, self.skew)
        self._look_for_twins(container)
        self._event(container, "start", now)

    def end(self, container: FakeContainer, code: int, now: float, *, oom_killed: bool = False) -> None:
        container.end(code, now + self.skew, oom_killed=oom_killed)
        if oom_killed:
            self._event(container, "oom", now)
        self._event(container, "die", now)

    def remove(self, container: FakeContainer, now: float) -> None:
        if container.running:
            self.end(container, KILLED, now)
        del self.containers[container.id]
        self._event(container, "destroy", now)

    def set_health(self, container: FakeContainer, health: Health, now: float) -> None:
        container.health, container.health_log = health, f"the check says {health}"
        self._event(container, "health", now)

    def lose_power(self, now: float) -> None:
        """End all that runs without telling anyone."""
        self.settle(now)
        for container in self._running():
            container.end(KILLED, now + self.skew)

    def _event(self, container: FakeContainer, action: str, now: float) -> None:
        code = container.exit_code if action == "die" else None
        health = container.health if action == "health" else ""
        self.tell(EngineEvent(action, container.id, dict(container.spec.labels), now + self.skew, code, health))

    def _running(self) -> list[FakeContainer]:
        return [container for container in self.containers.values() if container.running]

    def _look_for_twins(self, container: FakeContainer) -> None:
        slot = [container.spec.labels.get(label) for label in SLOT_LABELS]
        if None in slot[1:]:
            return
        names = [
            other.spec.name for other in self._running() if [other.spec.labels.get(n) for n in SLOT_LABELS] == slot
        ]
        if len(names) > 1:
            self.violations.append(f"slot {slot} has {len(names)} running containers: {', '.join(names)}")

    def _identity(self, name: str) -> str:
        self._made += 1
        return hashlib.sha256(f"{self._made} {name}".encode()).hexdigest()

    # -- addresses and ports --------------------------------------------------------------------------------------

    def _addresses(self, container: FakeContainer) -> dict[str, str]:
        return {end.network: self._address(end) for end in container.spec.endpoints}

    def _address(self, endpoint: Endpoint) -> str:
        if endpoint.network not in self.networks:
            raise NotFound(f"network {endpoint.network} is not on this machine")
        request = self.networks[endpoint.network][1]
        subnet = ip_network(request.subnet)
        taken = {request.gateway} | {other.addresses.get(endpoint.network, "") for other in self._running()}
        address = endpoint.ipv4_address or next(str(host) for host in subnet.hosts() if str(host) not in taken)
        if address in taken:
            raise AddressTaken(f"the address {address} is already in use on network {endpoint.network}")
        if ip_address(address) not in subnet:
            raise Refused(f"the address {address} is not in the subnet {subnet} of network {endpoint.network}")
        return address

    def _ports(self, container: FakeContainer) -> tuple[BoundPort, ...]:
        taken = [port for other in self._running() for port in other.ports]
        bound: list[BoundPort] = []
        for wanted in container.spec.ports:
            bound.append(self._bind(wanted, [*taken, *bound]))
        return tuple(bound)

    def _bind(self, wanted: PortBinding, taken: list[BoundPort]) -> BoundPort:
        host_ip = wanted.host_ip or "0.0.0.0"
        first = wanted.host_port or FIRST_FREE_PORT
        last = (max(first, wanted.host_port_last) if wanted.host_port else 65535) + 1
        for number in range(first, last):
            port = BoundPort(wanted.target, wanted.protocol, host_ip, number)
            if number not in self.held_ports and not any(_clash(port, other) for other in taken):
                return port
        raise PortTaken(f"port {first} of this machine is already in use; publish another one or stop what holds it")

    # -- networks and volumes -------------------------------------------------------------------------------------

    def create_network(self, request: NetworkRequest) -> str:
        if request.name in self.networks:
            raise NameTaken(f"another network has the name {request.name}")
        subnet = ip_network(request.subnet)
        if any(subnet.overlaps(ip_network(other.subnet)) for _, other in self.networks.values()):
            raise AddressTaken(f"the subnet of network {request.name} overlaps one that this machine has already")
        identity = self._identity(request.name)
        self.networks[request.name] = (identity, request)
        return identity

    def remove_network(self, name: str) -> None:
        if self._members(name):
            raise Conflict(f"network {name} still has containers on it; remove them first")
        self.networks.pop(name, None)

    def network_infos(self, labels: Mapping[str, str]) -> list[NetworkInfo]:
        return [
            NetworkInfo(identity, name, request.labels, (request.subnet,), request.gateway, self._members(name))
            for name, (identity, request) in self.networks.items()
            if carries(request.labels, labels)
        ]

    def users_of(self, volume: str) -> int:
        """How many containers, ended ones too, have that volume."""
        mounts = [mount for container in self.containers.values() for mount in container.spec.mounts]
        return sum(mount.type == "volume" and mount.source == volume for mount in mounts)

    def remove_volume(self, name: str) -> None:
        if self.users_of(name):
            raise Conflict(f"volume {name} is still used by a container; remove that first")
        self.volumes.pop(name, None)

    def _members(self, network: str) -> tuple[str, ...]:
        return tuple(container.id for container in self._running() if network in container.addresses)


def carries(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether something with these labels is meant by a filter."""
    return all(labels.get(name) == text for name, text in wanted.items())


def _clash(one: BoundPort, other: BoundPort) -> bool:
    same = (one.protocol, one.host_port) == (other.protocol, other.host_port)
    return same and (one.host_ip == other.host_ip or "0.0.0.0" in (one.host_ip, other.host_ip))
