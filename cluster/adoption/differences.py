"""How a service of the file differs from the containers that `docker compose` runs for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cluster.adoption.project import OldContainer, OldMount
from cluster.spec import Mount, ServiceSpec, VolumeSpec


def differences(service: ServiceSpec, containers: Sequence[OldContainer]) -> Iterator[str]:
    """What will be otherwise than it is, a sentence each. Variables are named without values: they may be secret."""
    running = [one for one in containers if one.back.running]
    if not containers:
        yield "has no container yet, and gets one"
    elif not running:
        yield from _at_rest(service, containers)
    elif len(running) != service.replicas:
        yield f"runs {len(running)} times, and {service.replicas} as the file says: `gbnt service scale` changes that"
    for one in containers[:1]:
        yield from _changed(service, one)
    if service.container_name:
        yield f"is called {service.container_name} no more: `gbnt exec` finds it by its service"
    if running and service.restart.condition == "any" and running[0].back.restart.get("Name") in ("", "no"):
        yield 'is restarted whenever it ends, as it was not before: `restart: "no"` in the file keeps it so'


def lost_mounts(
    service: ServiceSpec, volumes: Mapping[str, VolumeSpec], container: OldContainer, *, leave_anonymous: bool
) -> Iterator[str]:
    """The data that a container has and its service would not find, a sentence each that says what to do."""
    wanted = {mount.target.rstrip("/"): mount for mount in service.mounts}
    for mount in container.mounts:
        new = wanted.get(mount.target.rstrip("/"))
        same = new is not None and _source(new, volumes) == mount.source
        read = mount.type == "tmpfs" or (mount.type == "bind" and mount.read_only)
        if not (same or read or mount.empty or (mount.anonymous and leave_anonymous)):
            yield _lost(service.name, container, mount, new, volumes)


def _at_rest(service: ServiceSpec, containers: Sequence[OldContainer]) -> Iterator[str]:
    if service.restart.condition == "any" and all(one.exit_code == 0 for one in containers):
        yield 'ended well, and would be run again and again: `restart: "no"` in the file has it run once'
    else:
        yield "does not run now, and will"


def _changed(service: ServiceSpec, container: OldContainer) -> Iterator[str]:
    if container.image != service.image and service.build is None:
        yield f"runs {container.image}, and the file says {service.image}"
    if service.command and service.command != container.command:
        yield "has another command in the file than it was started with"
    named = sorted(key for key, text in service.environment.items() if container.environment.get(key) != text)
    if named:
        yield f"has other values in the file than it was started with: {', '.join(named)}"
    ports = {(port.target, port.protocol, port.published) for port in container.ports}
    fixed = [port for port in service.ports if port.published and port.published_last in (None, port.published)]
    for port in fixed:
        if (port.target, port.protocol, port.published) not in ports:
            yield f"did not publish port {port.published}, and will"


def _source(mount: Mount, volumes: Mapping[str, VolumeSpec]) -> str:
    """A mount's volume by the engine's name, or its path."""
    return volumes[mount.source].name if mount.type == "volume" and mount.source else mount.source


def _lost(
    service: str, container: OldContainer, mount: OldMount, new: Mount | None, volumes: Mapping[str, VolumeSpec]
) -> str:
    at = f"{service}: {container.back.name} keeps data at {mount.target} in"
    if mount.anonymous:
        key = f"{service}-data"
        return (
            f"{at} a volume without a name, which no new container would find: give the service the volume "
            f'"{key}:{mount.target}", and the file "volumes: {{{key}: {{name: {mount.source}, external: true}}}}"; '
            "or --leave-anonymous begins with an empty one, and keeps the old"
        )
    there = _source(new, volumes) if new is not None else ""
    instead = f"the file has {there} there" if there else "the file has nothing there"
    return f"{at} {mount.source}, and {instead}: make the file say what runs, or have `docker compose up` follow it"
