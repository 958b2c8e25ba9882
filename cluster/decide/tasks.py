"""Decisions on tasks: adding them with addresses and ports, turning them, and taking in what was seen of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from cluster import addresses
from cluster.assignment import Observation
from cluster.company import strays
from cluster.container import PortBinding
from cluster.decide.decision import Decided, Decision, Draft, Entropy, Refusal
from cluster.decide.nodes import lose_task, lost_tasks
from cluster.decide.sweep import sweep
from cluster.model import Change, Desired, Network, Service, State, Task
from cluster.moves import emptied, overlaps
from cluster.placement import Board, awaits_machine
from cluster.presence import alarm
from cluster.reconcile import AddTask, DesireTask, Reconciled
from cluster.spec import Port
from cluster.transitions import IllegalTransition, observe

# What is wanted of a task only ever moves on.
ORDER: Mapping[Desired, int] = {"ready": 0, "run": 1, "stop": 2, "remove": 3}


def carry_out(
    state: State, basis: Service, decided: Reconciled, entropy: Entropy, pool: str = addresses.DEFAULT_POOL
) -> Decided:
    """A service's decision made real. What no longer fits the present state is dropped: the service is asked again.

    `basis` is the service that was decided on: one scaled down and up again must not lose tasks to what was right in
    between. `pool` is what the subnets of networks are taken from (CIDR).
    """
    service = state.services.get(basis.key)
    if service is None or service.order != basis.order:
        return Decided()
    draft = Draft(state)
    for desire in decided.desires:
        _desire(draft, desire, entropy.now)
    if decided.adds:
        board = Board(draft.state)
        leaving = emptied(draft.state.nodes.values()) | strays(draft.state).get(service.key, frozenset())
        for add in decided.adds:
            _add(draft, board, service, add, leaving, entropy, pool)
    _say_update(draft, service, decided)
    if service.removing:  # what waited for a machine until now is gone at once, and may have been the last of it
        sweep(draft)
    return draft.decided()


def _say_update(draft: Draft, service: Service, decided: Reconciled) -> None:
    if decided.update is None or (decided.update, decided.update_message) == (service.update, service.update_message):
        return
    now = replace(service, update=decided.update, update_message=decided.update_message)
    draft.put(Change("services", service.key, now))
    if decided.update != service.update:
        draft.tell(f"service.{decided.update}", service.key, decided.update_message)


def _desire(draft: Draft, desire: DesireTask, now: float) -> None:
    task = draft.state.tasks.get(desire.task)
    if task is None or ORDER[desire.desired] <= ORDER[task.desired]:
        return  # an older plan: what was asked for since goes further
    turned = replace(task, desired=desire.desired, why=desire.message, message=desire.message or task.message)
    nobody = not task.node or (task.ended and task.node not in draft.state.nodes)
    if nobody and desire.desired in ("stop", "remove"):  # it has no machine that would put it away
        draft.put(Change("tasks", task.id, None))
        return
    draft.put(Change("tasks", task.id, turned))
    if desire.desired == "run":
        for other in draft.state.tasks_of(task.service_key):
            if other.slot == task.slot and other.forsaken and not other.ended:
                lose_task(draft, other, "another took its place", now)
    if desire.desired in ("stop", "remove") and not task.ended:
        draft.tell("task.stopping", task.name, desire.message)


def _add(
    draft: Draft, board: Board, service: Service, add: AddTask, leaving: Collection[str], entropy: Entropy, pool: str
) -> None:
    """Add a task, or give a pending one another try; a slot that has its task already is left alone.

    A task on one of the machines `leaving` counts as none.
    """
    slot = [task for task in draft.state.tasks_of(service.key) if task.slot == add.slot]
    forsaken = [task for task in slot if task.forsaken and not task.ended]
    slot = [task for task in slot if task not in forsaken]
    wanted = [task for task in slot if _wanted(task, service) and task.node not in leaving]
    pending = next((task for task in wanted if task.state == "pending"), None)
    if wanted and pending is None:
        return
    moving = overlaps(service.spec)
    beside = any(task.node and not task.ended and not (moving and task.node in leaving) for task in slot)
    if add.desired == "run" and beside and service.spec.update.order == "stop-first":
        return  # decided before that one was there: it has to stop first
    if forsaken and not add.message:
        add = replace(add, message=f"replaces the one on {_machine(draft.state, forsaken[0])}, which is down")
    paused = alarm(draft.state.settings) if forsaken else ""
    task = _placed(draft, board, service, add, entropy, pool, paused)
    if pending is not None:
        if task.message == pending.message:
            return
        task = replace(task, id=pending.id, created_at=pending.created_at)
    draft.put(Change("tasks", task.id, task))
    where = f"on {_machine(draft.state, task)}"
    draft.tell("task.created" if pending is None else "task.placed", task.name, task.message or where)
    if task.node:
        for one in forsaken:
            lose_task(draft, one, f"it runs on {_machine(draft.state, task)} since", entropy.now)


def _machine(state: State, task: Task) -> str:
    node = state.nodes.get(task.node)
    return node.name if node else task.node


def _wanted(task: Task, service: Service) -> bool:
    same_life = task.revision == service.revision and task.generation == service.generation
    return same_life and task.desired in ("run", "ready")


def _placed(
    draft: Draft, board: Board, service: Service, add: AddTask, entropy: Entropy, pool: str, paused: str
) -> Task:
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
    )
    if paused:
        return replace(task, message=paused, problem=paused)
    node, reason = board.place(service, add.slot)
    if node is None:
        return replace(task, message=reason, problem="" if awaits_machine(draft.state) else reason)
    trial = Draft(draft.state)  # what comes to nothing is to leave nothing behind
    try:
        given = _addresses(trial, service, pool)
    except addresses.Exhausted as error:
        return replace(task, message=f"waits for an address: {error}", problem=str(error))
    draft.put(*trial.decided().changes)
    bindings = _bindings(draft.state, service, add.slot)
    placed = replace(task, node=node.id, state="assigned", message=add.message, addresses=given, bindings=bindings)
    board.take(placed, service.spec)
    return placed


def _addresses(draft: Draft, service: Service, pool: str) -> dict[str, str]:
    """An address on each of the service's networks, by the engine's names of those. Raises addresses.Exhausted."""
    networks = draft.state.stacks[service.stack].spec.networks
    given: dict[str, str] = {}
    for attachment in service.spec.networks:
        name = networks[attachment.network].name
        network = draft.state.networks.get(name)
        if network is None:  # an external one: its addresses are not ours to give
            given[name] = attachment.ipv4_address
            continue
        network = _with_subnet(draft, network, pool)
        if attachment.ipv4_address:  # one replica, by the file's checks: its predecessor lets go of it first
            given[name] = attachment.ipv4_address
            continue
        taken = {task.addresses.get(name, "") for task in draft.state.tasks.values() if not task.ended}
        taken |= _reserved(draft.state, service.stack, attachment.network)
        given[name], following = addresses.free_address(network.subnet, network.next_host, taken)
        draft.put(Change("networks", name, replace(network, next_host=following)))
    return given


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


def _bindings(state: State, service: Service, slot: int) -> tuple[PortBinding, ...]:
    others = [task for task in state.tasks_of(service.key) if task.slot != slot and not task.ended]
    taken = {(b.protocol, b.host_port) for task in others for b in task.bindings}
    return tuple(_binding(port, taken) for port in service.spec.ports)


def _binding(port: Port, taken: Iterable[tuple[str, int]]) -> PortBinding:
    """One port of a range for each task; the file's checks made sure that the range has enough."""
    first = port.published or 0
    last = port.published_last or first
    free = next((number for number in range(first, last + 1) if (port.protocol, number) not in taken), first)
    return PortBinding(port.target, port.protocol, port.host_ip, free)


def take_in(state: State, node: str, seen: Iterable[Observation]) -> Decided:
    """What a machine saw becomes part of the record. Of another machine's tasks it has nothing to say.

    An observation that may not follow the record is a fault in gbnt: it is told as an event and left out, so that one
    bad report does not keep all others from being heard.
    """
    draft, removed = Draft(state), False
    for observation in seen:
        task = draft.state.tasks.get(observation.task)
        if task is None or task.node != node:
            continue
        if observation.removed and task.desired == "remove":
            # Nothing of it is left, whatever its last word was.
            draft.put(Change("tasks", task.id, None))
            draft.tell("task.removed", task.name, "removed")
            removed = True
            _all_put_away(draft, task.node)
            continue
        if task.state == "lost":
            continue  # the Senate's word is the last
        try:
            now = observe(task, observation)
        except IllegalTransition as error:
            draft.tell("task.illegal", task.name, str(error))
            continue
        if now is task:
            continue
        draft.put(Change("tasks", task.id, now))
        if (now.state, now.attempt, now.health, now.problem) != (task.state, task.attempt, task.health, task.problem):
            draft.tell(f"task.{now.health if now.health == 'unhealthy' else now.state}", task.name, now.message)
    if removed:
        sweep(draft)
    return draft.decided()


def _all_put_away(draft: Draft, node: str) -> None:
    """A machine that was down is ready again once nothing is left there that runs elsewhere."""
    known = draft.state.nodes.get(node)
    if known is not None and known.status == "returning" and not lost_tasks(draft.state, node):
        draft.put(Change("nodes", node, replace(known, status="ready", message="ready")))
        draft.tell("node.ready", known.name, "ready")


def stop_task(state: State, reference: str) -> Decision:
    """Stop one task's container for good; its service replaces it."""
    found = find_task(state, reference)
    if isinstance(found, Refusal):
        return found
    if found.desired in ("stop", "remove"):
        return Decided(told={found.name: "stopping already"})
    draft = Draft(state)
    _desire(draft, DesireTask(found.id, "stop", "stopped by hand; its service replaces it"), 0.0)
    return draft.decided(told={found.name: "stopping; its service replaces it"}, detail={"task": found.id})


def find_task(state: State, reference: str) -> Task | Refusal:
    """The task of that id, unique beginning of one, or name (then the newest of its slot)."""
    exact = state.tasks.get(reference)
    if exact is not None:
        return exact
    named = [task for task in state.tasks.values() if task.name == reference]
    if named:
        return max(named, key=lambda task: (task.desired in ("run", "ready"), task.created_at))
    close = [task for id, task in state.tasks.items() if id.startswith(reference)] if reference else []
    if len(close) == 1:
        return close[0]
    if close:
        return Refusal("conflict", f"{reference} is the beginning of {len(close)} task ids; give more of it")
    return Refusal("not_found", f"there is no task {reference}; gbnt task ls shows the tasks")
