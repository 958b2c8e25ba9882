"""What a name answers with, and what it does not answer with and why: a person's question, not a container's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cluster.model import State, Task
from cluster.naming import machines, names, service_calls
from cluster.zones import DOMAIN, TASKS, addresses, canonical, full_name


@dataclass(frozen=True, slots=True)
class Found:
    """An address that a name means: on a network of a task, or of a machine, where both are empty.

    `why` is why it is in no answer now; empty where it is.
    """

    network: str
    task: Task | None
    node: str
    address: str
    why: str = ""


def lookup(state: State, name: str) -> tuple[Found, ...] | None:
    """All that a name means, by network, service and slot; None where nobody has it."""
    wanted = canonical(name)
    answered = {network: addresses(zone, wanted) for network, zone in sorted(names(state).items())}
    known = {network: found for network, found in answered.items() if found is not None}
    if known:
        meant = sorted(_meant(state, wanted, known), key=lambda one: (one[0], one[1].service_key, one[1].slot))
        return tuple(_found(network, task, known[network]) for network, task in meant)
    short = wanted.removesuffix(f".{DOMAIN}")
    node = next((node for node in state.nodes.values() if canonical(node.name) == short != wanted), None)
    if node is None or short not in machines(state):
        return None
    return (Found("", None, node.id, node.address),)


def _meant(state: State, wanted: str, networks: Collection[str]) -> Iterator[tuple[str, Task]]:
    """The tasks that a name is of, or their service, on each of these networks."""
    called, name = service_calls(state), wanted.removesuffix(f".{DOMAIN}")
    plain = name.removeprefix(TASKS)
    for task in state.tasks.values():
        full = full_name(task.stack, task.service)
        own = {full, f"{task.slot}.{full}"}
        for network, address in () if task.ended else task.addresses.items():
            # With the domain behind it a name is never an alias.
            calls = called.get(task.service_key, {}).get(network, ()) if name == wanted else ()
            if address and network in networks and not own.union(calls).isdisjoint((name, plain)):
                yield network, task


def _found(network: str, task: Task, answered: Collection[str]) -> Found:
    address = task.addresses[network]
    return Found(network, task, task.node, address, "" if address in answered else _why(task))


def _why(task: Task) -> str:
    """What keeps a task out of answers."""
    if task.unknown:
        return task.unknown
    if task.desired == "ready":
        return "waits to take another one's place"
    if task.desired != "run":
        return task.why or "is to leave"
    if task.state != "running":
        return task.message or task.state
    return "is unhealthy" if task.health == "unhealthy" else "is not healthy yet"
