"""What each machine must bring about: from the cluster's state to one view for each, in one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from actors import protocol
from cluster.assignment import Assignment, Gate
from cluster.decide.nodes import HOLD
from cluster.gates import without_tasks
from cluster.model import Service, State, Task


def node_views(state: State) -> Mapping[str, protocol.NodeView]:
    """What each machine must bring about in this state. What is the same for all is worked out once."""
    stacks = [stack for stack in state.stacks.values() if not stack.removing]
    removing = [stack for stack in state.stacks.values() if stack.removing]
    common = protocol.NodeView(
        revision=state.revision,
        epoch=state.epoch,
        node="",
        assignments=(),
        networks=tuple(state.networks[name] for name in sorted(state.networks)),
        volumes=tuple(protocol.StackVolumes(stack.name, stack.spec.volumes) for stack in stacks),
        remove_volumes=tuple(volume for stack in removing for volume in stack.remove_volumes),
        completed=completed(state),
        hold=HOLD in state.settings,
    )
    assignments = _assignments(state)
    return {node: replace(common, node=node, assignments=tuple(assignments[node])) for node in state.nodes}


def same_view(one: protocol.NodeView, other: protocol.NodeView) -> bool:
    """Whether two views ask the same of a machine. What it reported itself is no news to it."""
    return (
        one.epoch == other.epoch
        and one.networks == other.networks
        and one.volumes == other.volumes
        and one.remove_volumes == other.remove_volumes
        and one.completed == other.completed
        and one.hold == other.hold
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


def completed(state: State) -> tuple[str, ...]:
    """The services whose one-off work is done: every wanted task ended well."""
    wanted: defaultdict[str, list[Task]] = defaultdict(list)
    for task in state.tasks.values():
        if task.desired == "run":
            wanted[task.service_key].append(task)
    return tuple(sorted(key for key, tasks in wanted.items() if all(task.state == "complete" for task in tasks)))


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
        if need.required or other is not None
    )
