"""From an assignment to the container that carries it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cluster.assignment import Assignment
from cluster.configs import ConfigFile
from cluster.container import ContainerSpec, Endpoint
from cluster.gpus import assigned
from cluster.model import Network
from cluster.spec import Mount, ServiceSpec
from cluster.tuning import Tuning

CLUSTER, STACK, SERVICE, SLOT = "gbnt.cluster", "gbnt.stack", "gbnt.service", "gbnt.slot"
TASK, REVISION, ATTEMPT, NODE = "gbnt.task", "gbnt.revision", "gbnt.attempt", "gbnt.node"

# Without it a container inherits the host's search domains, and a service with no healthy replica for the moment would
# be looked for under each of them, upstream.
NO_SEARCH = (".",)


def container_name(assignment: Assignment, attempt: int) -> str:
    """`stack-service-slot-task`, and the attempt from the second on. The same try always has the same name.

    So an engine that did make a container whose maker was killed refuses to make it again.
    """
    task = assignment.task
    base = f"{task.stack}-{task.service}-{task.slot}-{task.id[:6]}"
    return base if attempt == 1 else f"{base}-{attempt}"


def labels_of(assignment: Assignment, attempt: int, cluster: str) -> dict[str, str]:
    """The labels by which gbnt knows its container again; the file's own may not take their names."""
    task = assignment.task
    own = {
        CLUSTER: cluster,
        STACK: task.stack,
        SERVICE: task.service,
        SLOT: str(task.slot),
        TASK: task.id,
        REVISION: task.revision,
        ATTEMPT: str(attempt),
        NODE: task.node,
    }
    return {**assignment.spec.labels, **own}


def is_of(labels: Mapping[str, str], node: str) -> bool:
    """Whether a container of the cluster is this node's; one without the label is, for earlier releases wrote none."""
    return labels.get(NODE, node) == node


def container_for(
    assignment: Assignment,
    attempt: int,
    cluster: str,
    networks: Mapping[str, Network],
    volumes: Mapping[str, str],
    configs: Mapping[ConfigFile, str],
) -> ContainerSpec:
    """The container of one attempt.

    `networks` are by the engine's names, `volumes` map a file's key to such a name, `configs` a file to its path.
    """
    task, spec = assignment.task, assignment.spec
    endpoints = tuple(_endpoint(spec, name, address, networks) for name, address in task.addresses.items())
    own = [networks[endpoint.network] for endpoint in endpoints if endpoint.network in networks]
    gateways = tuple(network.gateway for network in own if network.gateway)
    return ContainerSpec(
        name=container_name(assignment, attempt),
        image=spec.reference,
        labels=labels_of(assignment, attempt, cluster),
        command=spec.command,
        entrypoint=spec.entrypoint,
        environment=spec.environment,
        ports=task.bindings,
        expose=spec.expose,
        mounts=(*(_mount(mount, volumes) for mount in spec.mounts), *_files(spec.configs, configs)),
        endpoints=endpoints,
        network_mode="" if endpoints else (spec.network_mode or "none"),
        dns=gateways + spec.dns,
        dns_search=spec.dns_search or (NO_SEARCH if gateways else ()),
        dns_options=spec.dns_options,
        extra_hosts=spec.extra_hosts,
        healthcheck=spec.healthcheck,
        resources=spec.resources,
        logging=spec.logging,
        user=spec.user,
        working_dir=spec.working_dir,
        hostname=spec.hostname,
        init=spec.init,
        tty=spec.tty,
        stdin_open=spec.stdin_open,
        read_only=spec.read_only,
        privileged=spec.privileged,
        stop_signal=spec.stop_signal,
        stop_grace_period=spec.stop_grace_period,
        cap_add=spec.cap_add,
        cap_drop=spec.cap_drop,
        tmpfs=spec.tmpfs,
        tuning=_tuning(spec),
        privileges=assigned(spec.privileges, task.gpus),
        domainname=spec.domainname,
        mac_address=spec.mac_address,
        platform=spec.platform,
        group_add=spec.group_add,
        annotations=spec.annotations,
    )


def _endpoint(spec: ServiceSpec, name: str, address: str, networks: Mapping[str, Network]) -> Endpoint:
    """A task's place on the network of this name. The file knows a network by its key."""
    key = networks[name].key if name in networks else name
    for place in spec.networks:
        if place.network == key:
            return Endpoint(
                name, address, place.mac_address, place.link_local_ips, place.driver_opts, place.gateway_priority
            )
    return Endpoint(name, address)


def _tuning(spec: ServiceSpec) -> Tuning:
    """What is reserved is what the kernel leaves a container when memory runs short, too, unless the file differs."""
    if spec.tuning.memory_reservation is not None or spec.reserved.memory is None:
        return spec.tuning
    return replace(spec.tuning, memory_reservation=spec.reserved.memory)


def _files(files: Iterable[ConfigFile], paths: Mapping[ConfigFile, str]) -> Iterator[Mount]:
    """Configs as an engine mounts them: one that it does not find is told, never made as a folder in its place."""
    for file in files:
        yield Mount("bind", file.target, paths[file], read_only=True, create_host_path=False)


def _mount(mount: Mount, volumes: Mapping[str, str]) -> Mount:
    if mount.type != "volume" or not mount.source:
        return mount
    return replace(mount, source=volumes[mount.source])
