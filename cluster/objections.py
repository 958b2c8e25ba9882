"""Why a task may not go to a machine: each reason in words, with what would change it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cluster.ask import NANO, Ask, Terms
from cluster.constraints import STACK, Constraint
from cluster.gpus import Dealt, Wish, cards_of, deal, free_of
from cluster.model import Node, Task
from cluster.policy import ENGINES, knows
from cluster.seats import Seat, Seats

# The verbs that reasons begin with, of several and of one.
OF_ONE = {"are": "is", "have": "has", "lack": "lacks"}
NOBODY: Mapping[str, int] = {}
AVAILABILITY = {"pause": "are paused", "drain": "are draining", "maintenance": "are in maintenance"}


@dataclass(frozen=True, slots=True)
class Objection:
    """Why not, as it is said after a number of machines (`lack label gpu=nvidia`), and what would change it here."""

    why: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """Machines that a task may go to, and the objection to all others."""

    nodes: frozenset[str]
    objection: Objection


def standing(node: Node, terms: Terms) -> Iterator[Objection]:
    """What speaks against a machine, whatever runs there."""
    if node.status != "ready":
        plain = node.message in ("", node.status, f"is {node.status}")
        why = f"are {node.status}" if plain else f"are {node.status}: {node.message}"
        yield Objection(why, f"bring {node.name} back: `gbnt doctor` there says what it lacks")
    if node.availability != "active":
        yield Objection(AVAILABILITY[node.availability], f"`gbnt node update {node.name} --availability active`")
    for constraint in terms.constraints:
        if not constraint.allows(node, terms.stack):
            yield Objection(constraint.fault, remedy(constraint, node))
    for key, api in terms.needs:
        if not knows(node, api):
            newer = f"Docker Engine {ENGINES[api]} or later on {node.name}"
            yield Objection(f"have an engine too old for {key}", newer)


def crowding(seat: Seat, seats: Seats, key: str, ask: Ask) -> Iterator[Objection]:
    """What speaks against a machine for what runs there. `key` is the service's, `stack/name`."""
    node = seat.node
    if ask.most and seats.where[key][node.id] >= ask.most:
        why = f"have {ask.most} of its tasks, the most that one may have"
        yield Objection(why, "raise max_replicas_per_node, or add a machine")
    for company in ask.joins:
        if not any(seats.where[other][node.id] for other in company):
            names = " or ".join(sorted(company))
            yield Objection(f"have no task of {names}", f"it follows once one of {names} runs on {node.name}")
    for other in ask.shuns:
        if seats.where[other][node.id]:
            yield Objection(f"have a task of {other}, which it keeps away from", f"move {other} off {node.name}")
    for other, number in sorted(seats.shunned.get(key, NOBODY).items()):
        if number and seats.where[other][node.id]:
            yield Objection(f"have a task of {other}, which keeps away from it", f"move {other} off {node.name}")
    if ask.nano_cpus and seat.nano_cpus + ask.nano_cpus > node.cpus * NANO:
        wanted, free = ask.nano_cpus / NANO, node.cpus - seat.nano_cpus / NANO
        why = f"have too few CPUs free (it reserves {wanted:g})"
        yield Objection(why, f"{_or_none(free, f'{free:g}')} of {node.cpus} free: {_freed(wanted > node.cpus, 'CPUs')}")
    if ask.memory and seat.memory + ask.memory > node.memory:
        free = node.memory - seat.memory
        why = f"have too little memory free (it reserves {_megabytes(ask.memory)})"
        left = f"{_or_none(free, _megabytes(free))} of {_megabytes(node.memory)} free"
        yield Objection(why, f"{left}: {_freed(ask.memory > node.memory, 'memory')}")
    if ask.gpus is not None and (against := cards_for(seat, seats, ask.gpus).against):
        yield Objection(against, _gpu_remedy(seat))
    for protocol, port in ask.ports:
        if seat.ports[protocol, port]:
            yield Objection(f"have port {port} taken by another task", "publish another port, or remove who has it")


def beside_its_own(against: Objection, task: Task) -> Objection:
    """What speaks against a machine for a task of the same slot alone, which the new one does not wait for."""
    why = f"{against.why} while {task.name} goes on, which stops once this serves"
    return Objection(why, "write update_config.order: stop-first, so that the one before stops first, or add a machine")


def cards_for(seat: Seat, seats: Seats, wish: Wish) -> Dealt:
    """The GPUs of a machine for one more task."""
    return deal(wish, seat.node, seat.held, unnamed=seat.unnamed > 0, counted=seats.counted)


def _gpu_remedy(seat: Seat) -> str:
    cards = cards_of(seat.node.gpus)
    if not cards and seat.node.gpu_runtime:
        return f"its engine does not say how many it has: node-generic-resources in {seat.node.name}'s daemon.json does"
    if not cards:
        return "a machine with GPUs"
    free = 0 if seat.unnamed else len(free_of(cards, seat.held))
    return f"{free or 'none'} of {len(cards)} free ({', '.join(cards)}): move other tasks off it"


def _or_none(free: float, words: str) -> str:
    return words if free > 0 else "none"


def _freed(never: bool, what: str) -> str:
    return f"reserve less, for it has no more {what}" if never else "reserve less, or move other tasks off it"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


def remedy(constraint: Constraint, node: Node) -> str:
    """What would make a machine meet a constraint; empty where nothing can."""
    key, value = constraint.key, constraint.values[0] if constraint.values else "…"
    if key == "node.role":
        return f"`gbnt node {'demote' if node.role == 'manager' else 'promote'} {node.name}`"
    if key.startswith("node.labels."):
        name = key.removeprefix("node.labels.")
        if not constraint.wanted:
            return f"`gbnt node update {node.name} --label-rm {name}`"
        value = "…" if constraint.operator in (">", "<") else value
        return f"`gbnt node update {node.name} --label-add {name}={value}`"
    if key.startswith("engine.labels."):
        return f"change labels in {node.name}'s /etc/docker/daemon.json"
    if key == "engine.version":
        return f"another engine on {node.name}"
    return "" if key == STACK else f"another constraint: {node.name} stays what it is"


def counted(turned: Mapping[str, int]) -> str:
    """`3 nodes: 2 lack label gpu=nvidia, 1 is draining`, of so many machines for each reason."""
    total = sum(turned.values())
    each = ", ".join(f"{number} {inflected(why, number)}" for why, number in Counter(turned).most_common())
    return f"{total} node{'s' if total > 1 else ''}: {each}"


def inflected(why: str, number: int) -> str:
    """A reason, which begins with its verb, as it is said of so many."""
    verb, _, rest = why.partition(" ")
    return why if number > 1 else f"{OF_ONE[verb]} {rest}"


def outside(node: Node, bounds: Iterable[Bound]) -> Iterator[Objection]:
    """What speaks against a machine for what the service is tied to elsewhere."""
    return (bound.objection for bound in bounds if node.id not in bound.nodes)
