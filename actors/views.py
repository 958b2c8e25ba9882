"""What each machine must bring about: from the cluster's state to one view for each, in one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from actors import protocol
from cluster.assignment import Assignment, Elsewhere, Gate, Milestone
from cluster.decide.nodes import HOLD
from cluster.gates import milestone, without_tasks
from cluster.model import Service, State, Task

Reached = Mapping[str, Mapping[Milestone, set[str]]]


def node_views(state: State) -> Mapping[str, protocol.NodeView]:
    """What each machine must bring about in this state. What is the same for all is worked out once."""
    stacks = [stack for stack in state.stacks.values() if not stack.removing]
    removing = [stack for stack in state.stacks.values() if stack.removing]
    reached = _reached(state)
    common = protocol.NodeView(
        revision=state.revision,
        epoch=state.epoch,
        node="",
        assignments=(),
        networks=tuple(state.networks[name] for name in sorted(state.networks)),
        volumes=tuple(protocol.StackVolumes(stack.name, stack.spec.volumes) for stack in stacks),
        remove_volumes=tuple(volume for stack in removing for volume in stack.remove_volumes),
        completed=tuple(sorted(key for key, found in reached.items() if found.keys() == {"complete"})),
        hold=HOLD in state.settings,
    )
    assignments = _assignments(state)

    def view(node: str) -> protocol.NodeView:
        own = tuple(assignments[node])
        return replace(common, node=node, assignments=own, elsewhere=tuple(_elsewhere(node, own, reached)))

    return {node: view(node) for node in state.nodes}


def same_view(one: protocol.NodeView, other: protocol.NodeView) -> bool:
    """Whether two views ask the same of a machine. What it reported itself is no news to it."""
    return (
        one.epoch == other.epoch
        and one.networks == other.networks
        and one.volumes == other.volumes
        and one.remove_volumes == other.remove_volumes
        and one.completed == other.completed
        and one.hold == other.hold
        and one.elsewhere == other.elsewhere
        and len(one.assignments) == len(other.assignments)
        and all(same_orders(*pair) for pair in zip(one.assignments, other.assignments, strict=True))
    )


def same_orders(one: Assignment, other: Assignment) -> bool:
    """Whether two assignments ask the same of a machine."""
    return (
        one.task.id == other.task.id
        and one.task.desired == other.task.desired
        and one.gates == other.gates
        and one.spec == other.spec
    )


def _reached(state: State) -> Reached:
    """How far each service's wanted tasks have come, and on which machines."""
    reached = defaultdict[str, defaultdict[Milestone, set[str]]](lambda: defaultdict(set))
    for task in state.tasks.values():
        if task.desired == "run":
            reached[task.service_key][_milestone(state, task)].add(task.node)
    return reached


def _milestone(state: State, task: Task) -> Milestone:
    """What was up on a machine that starts is not taken to be up still before that has looked."""
    node = state.nodes.get(task.node)
    unseen = node is not None and node.status == "starting" and not task.ended
    return "" if unseen else milestone(task.standing, task.health)


def _elsewhere(node: str, assignments: Iterable[Assignment], reached: Reached) -> Iterator[Elsewhere]:
    """Of each service that a machine's tasks wait for what it cannot see itself."""
    for service in sorted({gate.service for assignment in assignments for gate in assignment.gates}):
        come = tuple(sorted(one for one, nodes in reached.get(service, {}).items() if nodes != {node}))
        if come:
            yield Elsewhere(service, come)


def _assignments(state: State) -> defaultdict[str, list[Assignment]]:
    """Each machine's, by the task's id. A task may start as its service's present file has it, if there is one."""
    gates = {key: _gates(state, service) for key, service in state.services.items()}
    by_node: defaultdict[str, list[Assignment]] = defaultdict(list)
    for id in sorted(state.tasks):
        task = state.tasks[id]
        by_node[task.node].append(Assignment(task, state.spec_of(task), gates.get(task.service_key, ())))
    return by_node


def _gates(state: State, service: Service) -> tuple[Gate, ...]:
    """What must be up before a task of the service may start."""
    needed = {need: state.services.get(f"{service.stack}/{need.service}") for need in service.spec.depends_on}
    return tuple(
        Gate(f"{service.stack}/{need.service}", need.condition, without_tasks(need.service, other))
        for need, other in needed.items()
        if need.required or not without_tasks(need.service, other)
    )
