"""How a project of `docker compose` becomes a stack: what is taken over, what is in the way, what will differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cluster.adoption.differences import differences, lost_mounts
from cluster.adoption.project import OldContainer, OldNetwork, Project, Runner, WayBack
from cluster.spec import ServiceSpec, StackSpec, VolumeSpec
from cluster.volumes import named_volumes


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person said. `machine` pins the stack to the one that has the data; empty where it is the only one."""

    machine: str = ""
    leave_anonymous: bool = False


@dataclass(frozen=True, slots=True)
class TakenService:
    """A service, the containers that it replaces, the volumes that it goes on with, and what will be otherwise."""

    name: str
    containers: tuple[str, ...]
    volumes: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A project as the stack of `spec`.

    `stops` are the containers to stop, those first on which no other depends, all of one group at once. `networks` make
    room for those of the stack. With `obstacles` it is not to be done. `left` are the project's containers that stay.
    """

    project: str
    spec: StackSpec
    services: tuple[TakenService, ...]
    stops: tuple[tuple[WayBack, ...], ...]
    networks: tuple[OldNetwork, ...]
    obstacles: tuple[str, ...]
    notes: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def longest_stop(self) -> float:
        """For how many seconds the containers may take to stop."""
        return sum(max((one.grace for one in group if one.running), default=0.0) for group in self.stops)


def plan(project: Project, spec: StackSpec, wish: Wish = Wish()) -> Plan:
    """How `project` becomes the stack that its file asks for. Its volumes keep the names that they have."""
    volumes = {key: _kept(key, volume, project) for key, volume in spec.volumes.items()}
    services = {name: _pinned(service, wish.machine) for name, service in spec.services.items()}
    adopted = replace(spec, services=services, volumes=volumes)
    old = {name: [one for one in project.containers if one.service == name] for name in services}
    left = tuple(one for one in project.containers if one.service not in services)
    names = {network.name for network in spec.networks.values() if not network.external}
    networks = tuple(network for network in project.networks if network.name in names)
    stopped = {one.back.id for containers in old.values() for one in containers}
    return Plan(
        project=project.name,
        spec=adopted,
        services=tuple(_taken(service, old[name], volumes) for name, service in sorted(services.items())),
        stops=_stops(services, old),
        networks=networks,
        obstacles=(
            *(
                words
                for name, service in sorted(services.items())
                for one in old[name]
                for words in lost_mounts(service, volumes, one, leave_anonymous=wish.leave_anonymous)
            ),
            *_in_the_way(networks, services, (one for one in project.runners if one.id not in stopped)),
        ),
        notes=tuple(_notes(spec, volumes, wish)),
        left=tuple(sorted(one.back.name for one in left)),
    )


def _kept(key: str, volume: VolumeSpec, project: Project) -> VolumeSpec:
    return volume if volume.external else replace(volume, name=project.volumes.get(key, volume.name))


def _pinned(service: ServiceSpec, machine: str) -> ServiceSpec:
    """The data and the images are on one machine, of which the cluster may not know yet."""
    if not machine:
        return service
    constraints = dict.fromkeys((*service.placement.constraints, f"node.id == {machine}"))
    return replace(service, placement=replace(service.placement, constraints=tuple(constraints)))


def _taken(service: ServiceSpec, containers: Sequence[OldContainer], volumes: Mapping[str, VolumeSpec]) -> TakenService:
    return TakenService(
        service.name,
        tuple(sorted(one.back.name for one in containers)),
        tuple(sorted({volumes[key].name for key in named_volumes(service)})),
        tuple(differences(service, containers)),
    )


def _stops(
    services: Mapping[str, ServiceSpec], old: Mapping[str, Sequence[OldContainer]]
) -> tuple[tuple[WayBack, ...], ...]:
    """Who needs others is stopped before them, so that nobody is left to fail."""
    groups: list[tuple[WayBack, ...]] = []
    rest = set(services)
    while rest:
        needed = {gate.service for name in rest for gate in services[name].depends_on}
        free = sorted(rest - needed) or sorted(rest)
        groups.append(tuple(one.back for name in free for one in old[name]))
        rest.difference_update(free)
    return tuple(filter(None, groups))


def _in_the_way(
    networks: Sequence[OldNetwork], services: Mapping[str, ServiceSpec], runners: Iterable[Runner]
) -> Iterator[str]:
    """Who runs on while the project is stopped, and has a network that makes room, or a port that is wanted."""
    wanted: dict[tuple[int, str], str] = {
        (port.published, port.protocol): name
        for name, service in services.items()
        for port in service.ports
        if port.published and port.published_last in (None, port.published)
    }
    for runner in runners:
        for network in networks:
            if runner.id in network.users:
                yield (
                    f"{runner.name} is on network {network.name}, which is made anew, and is no container of a "
                    f"service: docker stop {runner.name}, or docker network disconnect {network.name} {runner.name}"
                )
        for port, protocol in sorted(runner.ports & wanted.keys()):
            yield (
                f"{runner.name} has port {port} of this machine, which {wanted[port, protocol]} publishes: "
                f"docker stop {runner.name}, or publish another"
            )


def _notes(spec: StackSpec, volumes: Mapping[str, VolumeSpec], wish: Wish) -> Iterator[str]:
    for key, volume in sorted(volumes.items()):
        if volume.name != spec.volumes[key].name:
            yield (
                f"before the next deploy of {spec.name} write `name: {volume.name}` below volumes.{key} of the file: "
                f"else it takes another volume, {spec.volumes[key].name}"
            )
    if wish.machine:
        yield (
            "the services are bound to this machine, which has their data: a deploy of the file as it is unbinds them, "
            "and they are replaced once for that"
        )
