"""New tasks of one service: each with its machine, its addresses and its ports, or with what it waits for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace

from cluster import addresses
from cluster.changed import changed
from cluster.container import PortBinding
from cluster.decide.decision import Draft, Entropy
from cluster.decide.nodes import lose_task
from cluster.model import Change, Network, Service, State, Task
from cluster.moves import overlaps
from cluster.placement import Board, awaits_machine
from cluster.presence import alarm
from cluster.reconcile import AddTask
from cluster.spec import Port


class Additions:
    """Adds tasks to a draft. The `board` stands where the draft does, and counts each task that gets a machine.

    A task on a machine that is `leaving` counts as none. `pool` is what the subnets of networks are taken from (CIDR).
    What all additions need of all tasks is looked up once: a thousand replicas cost as much as they are.
    """

    def __init__(self, draft: Draft, board: Board, service: Service, leaving: Collection[str], pool: str) -> None:
        self._draft, self._board, self._service = draft, board, service
        self._leaving, self._pool = leaving, pool
        self._taken: dict[str, set[str]] = {}
        self._slots: defaultdict[int, list[str]] = defaultdict(list)
        for task in draft.state.tasks_of(service.key):
            self._slots[task.slot].append(task.id)

    def add(self, add: AddTask, entropy: Entropy) -> None:
        """Add a task, or give a pending one another try; a slot that has its task already is left alone."""
        draft, service = self._draft, self._service
        slot = self._tasks(add.slot)
        forsaken = [task for task in slot if task.forsaken and not task.ended]
        slot = [task for task in slot if task not in forsaken]
        wanted = [task for task in slot if _wanted(task, service) and task.node not in self._leaving]
        pending = next((task for task in wanted if task.state == "pending"), None)
        if wanted and pending is None:
            return
        moving = overlaps(service.spec)
        beside = any(task.node and not task.ended and not (moving and task.node in self._leaving) for task in slot)
        if add.desired == "run" and beside and service.spec.update.order == "stop-first":
            return  # decided before that one was there: it has to stop first
        if forsaken and not add.message:
            add = replace(add, message=f"replaces the one on {_machine(draft.state, forsaken[0])}, which is down")
        paused = alarm(draft.state.settings) if forsaken else ""
        task = self._placed(add, entropy, paused)
        if pending is not None:
            if task.message == pending.message:
                return
            task = changed(task, id=pending.id, created_at=pending.created_at)
        else:
            self._slots[add.slot].append(task.id)
        draft.put(Change("tasks", task.id, task))
        kind = "task.created" if pending is None else "task.placed" if task.node else "task.waiting"
        draft.tell(kind, task.name, task.message or f"on {_machine(draft.state, task)}", task.request)
        if task.node:
            for one in forsaken:
                lose_task(draft, one, f"it runs on {_machine(draft.state, task)} since", entropy.now)

    def _tasks(self, slot: int) -> list[Task]:
        known = self._draft.state.tasks
        return [known[id] for id in self._slots[slot] if id in known]

    def _placed(self, add: AddTask, entropy: Entropy, paused: str) -> Task:
        draft, service = self._draft, self._service
        task = Task(
            id=entropy.new_id(),
            stack=service.stack,
            service=service.name,
            slot=add.slot,
            revision=service.revision,
            generation=service.generation,
            node="",
            desired=add.desired,
            state="pending",
            message="",
            created_at=entropy.now,
            since=entropy.now,
            request=service.request,
        )
        if paused:
            return changed(task, message=paused, problem=paused)
        node, reason = self._board.place(service, add.slot, add.node)
        if node is None:
            return changed(task, message=reason, problem="" if awaits_machine(draft.state) else reason)
        trial = Draft(draft.state)  # what comes to nothing is to leave nothing behind
        try:
            given = self._addresses(trial)
        except addresses.Exhausted as error:
            return changed(task, message=f"waits for an address: {error}", problem=str(error))
        draft.put(*trial.decided().changes)
        placed = changed(
            task,
            node=node.id,
            state="assigned",
            message=add.message,
            addresses=given,
            bindings=self._bindings(add.slot),
            gpus=self._board.cards(service, add.slot, node.id),
        )
        self._board.take(placed, service.spec)
        return placed

    def _addresses(self, draft: Draft) -> dict[str, str]:
        """An address on each of the service's networks, by the engine's names of those. Raises addresses.Exhausted."""
        service = self._service
        networks = draft.state.stacks[service.stack].spec.networks
        given: dict[str, str] = {}
        for attachment in service.spec.networks:
            name = networks[attachment.network].name
            network = draft.state.networks.get(name)
            if network is None:  # an external one: its addresses are not ours to give
                given[name] = attachment.ipv4_address
                continue
            network = _with_subnet(draft, network, self._pool)
            if attachment.ipv4_address:  # one replica, by the file's checks: its predecessor lets go of it first
                given[name] = attachment.ipv4_address
                continue
            taken = self._taken_on(name, attachment.network)
            given[name], following = addresses.free_address(network.subnet, network.next_host, taken)
            taken.add(given[name])
            draft.put(Change("networks", name, replace(network, next_host=following)))
        return given

    def _taken_on(self, name: str, key: str) -> set[str]:
        """The addresses of a network that somebody has, or is given by the file."""
        if name not in self._taken:
            state, stack = self._draft.state, self._service.stack
            used = {task.addresses.get(name, "") for task in state.tasks_in(stack) if not task.ended}
            self._taken[name] = used | _reserved(state, stack, key)
        return self._taken[name]

    def _bindings(self, slot: int) -> tuple[PortBinding, ...]:
        if not self._service.spec.ports:
            return ()
        others = [task for other in self._slots if other != slot for task in self._tasks(other) if not task.ended]
        taken = {(b.protocol, b.host_port) for task in others for b in task.bindings}
        return tuple(_binding(port, taken) for port in self._service.spec.ports)


def _machine(state: State, task: Task) -> str:
    node = state.nodes.get(task.node)
    return node.name if node else task.node


def _wanted(task: Task, service: Service) -> bool:
    same_life = task.revision == service.revision and task.generation == service.generation
    return same_life and task.desired in ("run", "ready")


def _reserved(state: State, stack: str, network: str) -> set[str]:
    """The addresses that the file gives to services of its own choice."""
    attachments = (one for service in state.services_of(stack) for one in service.spec.networks)
    return {one.ipv4_address for one in attachments if one.network == network}


def _with_subnet(draft: Draft, network: Network, pool: str) -> Network:
    """The network with a subnet: chosen with its first task, when a machine has told which ones it uses itself."""
    if network.subnet:
        return network
    taken = [other.subnet for other in draft.state.networks.values() if other.subnet]
    taken += [subnet for node in draft.state.nodes.values() for subnet in node.used_subnets]
    subnet = addresses.free_subnet(pool, taken)
    chosen = replace(network, subnet=subnet, gateway=addresses.gateway(subnet))
    draft.put(Change("networks", network.name, chosen))
    return chosen


def _binding(port: Port, taken: Iterable[tuple[str, int]]) -> PortBinding:
    """One port of a range for each task; the file's checks made sure that the range has enough."""
    first = port.published or 0
    last = port.published_last or first
    free = next((number for number in range(first, last + 1) if (port.protocol, number) not in taken), first)
    return PortBinding(port.target, port.protocol, port.host_ip, free)
