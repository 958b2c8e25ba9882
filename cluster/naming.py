"""Which names answer with which addresses: from the cluster's state to what each machine's resolver knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from ipaddress import ip_address

from cluster.changed import changed
from cluster.model import Network, Service, State, Task
from cluster.zones import Ports, Zone, canonical, full_name, service_names

MOST_PORTS = 64
"""Of a service: an answer has a record for each port of each replica, and who asks for one waits with all others."""


def names(state: State) -> Mapping[str, Zone]:
    """The zone of each network: the names of its services, and the addresses of their replicas that serve.

    Where none does, those that may: containers run on while an engine hangs, or is started anew with `live-restore`.
    They are the same on every machine.
    """
    networks, called = _named(state), service_calls(state)
    known: dict[str, dict[str, list[str]]] = {network: {} for network in networks}
    for everywhere in called.values():
        for network, known_as in everywhere.items():
            known[network].update((name, []) for name in known_as)
    serving = [task for task in state.tasks.values() if task.serving]
    served = {task.service_key for task in serving}
    perhaps = (task for task in state.tasks.values() if task.unknown and task.service_key not in served)
    for task in (*serving, *(task for task in perhaps if _may_serve(state, task))):
        _answer_with(task, called.get(task.service_key, {}), known)
    hosts, ports = _hosts(state, networks), _ports(state, called)
    return {name: _zone(network, known[name], hosts[name], ports[name]) for name, network in networks.items()}


def service_calls(state: State) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """By service what it is called on each of its networks that names can be asked for on."""
    networks = _named(state)
    return {key: _called(state, service, networks) for key, service in state.services.items()}


def machines(state: State) -> Mapping[str, str]:
    """The machines by name, as `canonical` has it, with the addresses that others reach them by, where of IPv4."""
    return {canonical(node.name): node.address for node in state.nodes.values() if _is_ipv4(node.address)}


def _may_serve(state: State, task: Task) -> bool:
    """Whether a task served when its engine was heard last, and is not replaced yet."""
    node = state.nodes.get(task.node)
    ailing = node is not None and node.status == "unavailable" and not node.replaced
    return ailing and changed(task, unknown="").serving


def clients(state: State) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Who may ask on each machine: the addresses of its containers, each with all the networks that it is on."""
    networks = _named(state)
    found: dict[str, dict[str, tuple[str, ...]]] = {node: {} for node in state.nodes}
    for task in state.tasks.values():
        if task.ended or task.node not in found:
            continue
        on = tuple(network for network in task.addresses if network in networks)
        found[task.node].update((task.addresses[network], on) for network in on if task.addresses[network])
    return found


def _named(state: State) -> Mapping[str, Network]:
    """The networks that names can be asked for on: those that have a gateway."""
    return {name: network for name, network in state.networks.items() if network.gateway}


def _zone(
    network: Network, known: Mapping[str, list[str]], hosts: Mapping[str, str], ports: Mapping[str, Ports]
) -> Zone:
    answers = {name: tuple(sorted(addresses)) for name, addresses in sorted(known.items())}
    return Zone(network.gateway, network.subnet, answers, network.internal, hosts, ports)


def _hosts(state: State, networks: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """By network the replicas' own names, by their addresses there, whether they serve or not."""
    hosts: dict[str, dict[str, str]] = {network: {} for network in networks}
    services = {key: full_name(service.stack, service.name) for key, service in state.services.items()}
    for task in state.tasks.values():
        for network, address in () if task.ended else task.addresses.items():
            if address and network in hosts and task.service_key in services:
                hosts[network][address] = f"{task.slot}.{services[task.service_key]}"
    return hosts


def _ports(state: State, called: Mapping[str, Mapping[str, object]]) -> Mapping[str, Mapping[str, Ports]]:
    """By network the ports that its services publish, inside of their containers."""
    ports: defaultdict[str, dict[str, Ports]] = defaultdict(dict)
    for key, networks in called.items():
        service = state.services[key]
        published = tuple(sorted({(port.target, port.protocol) for port in service.spec.ports}))[:MOST_PORTS]
        for network in networks if published else ():
            ports[network][full_name(service.stack, service.name)] = published
    return ports


def _is_ipv4(address: str) -> bool:
    try:
        return ip_address(address).version == 4
    except ValueError:
        return False


def _called(state: State, service: Service, networks: Collection[str]) -> Mapping[str, tuple[str, ...]]:
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


def _answer_with(task: Task, called: Mapping[str, tuple[str, ...]], known: Mapping[str, dict[str, list[str]]]) -> None:
    for network, address in task.addresses.items():
        for name in called.get(network, ()):
            if address:
                known[network][name].append(address)
