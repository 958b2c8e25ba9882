"""Which names answer with which addresses: from the cluster's state to one machine's zones."""

from __future__ import annotations

from collections import defaultdict

from cluster.model import Network, Service, State, Task
from cluster.zones import Zone, Zones, service_names


def zones(state: State, node: str) -> Zones:
    """The zones of one machine's resolver: for each network the names of its services' replicas that serve."""
    mine = [task for task in state.tasks.values() if task.node == node and not task.ended]
    networks = {name: network for name, network in state.networks.items() if network.gateway}
    names: dict[str, dict[str, list[str]]] = {name: defaultdict(list) for name in networks}
    for service in state.services.values():
        for network, known_as in _names(state, service, networks).items():
            for name in known_as:
                names[network].setdefault(name, [])
    for task in state.tasks.values():
        owner = state.services.get(task.service_key)
        if owner is not None and task.serving:
            _answer_with(task, _names(state, owner, networks), names)
    return Zones(
        serial=state.revision,
        networks={name: _zone(network, names[name]) for name, network in networks.items()},
        clients={
            address: tuple(network for network in task.addresses if network in networks)
            for task in mine
            for network, address in task.addresses.items()
            if network in networks and address
        },
    )


def _zone(network: Network, names: dict[str, list[str]]) -> Zone:
    known = {name: tuple(sorted(addresses)) for name, addresses in sorted(names.items())}
    return Zone(network.gateway, network.subnet, known, internal=network.internal)


def _names(state: State, service: Service, networks: dict[str, Network]) -> dict[str, tuple[str, ...]]:
    """What a service is called on each of its networks."""
    stack = state.stacks.get(service.stack)
    if stack is None:
        return {}
    called: dict[str, tuple[str, ...]] = {}
    for attachment in service.spec.networks:
        network = stack.spec.networks.get(attachment.network)
        if network is not None and network.name in networks:
            called[network.name] = service_names(service.stack, service.name, attachment.aliases)
    return called


def _answer_with(task: Task, called: dict[str, tuple[str, ...]], names: dict[str, dict[str, list[str]]]) -> None:
    for network, address in task.addresses.items():
        for name in called.get(network, ()):
            if address:
                names[network][name].append(address)
