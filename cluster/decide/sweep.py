"""What is of no more use once the last task that needed it has gone."""

from __future__ import annotations

from cluster.decide import history, registries
from cluster.decide.configs import forget_unused
from cluster.decide.decision import Draft
from cluster.decide.images import note_used
from cluster.model import Change, Network, Service, Stack, State


def sweep(draft: Draft) -> None:
    """Let go of removed services, of networks, revisions and configs that nobody needs, and of stacks that are gone.

    A stack is gone when no machine shows a task, a network, or a volume of it that was to be removed.
    """
    for service in list(draft.state.services.values()):
        if service.removing and not draft.state.tasks_of(service.key):
            _forget_service(draft, service)
        else:
            _old_revisions(draft, service)
    for network in list(draft.state.networks.values()):
        stack = draft.state.stacks.get(network.stack)
        named = stack is not None and not stack.removing and network.key in stack.spec.networks
        if not named and not _is_used(draft.state, network):
            draft.put(Change("networks", network.name, None))
    for stack in list(draft.state.stacks.values()):
        if stack.removing and _is_gone(draft, stack):
            draft.put(Change("stacks", stack.name, None))
            registries.forget(draft, stack.name)
            history.forget(draft, stack.name)
            draft.tell("stack.removed", stack.name, "removed")
    forget_unused(draft)


def _forget_service(draft: Draft, service: Service) -> None:
    draft.put(Change("services", service.key, None))
    for key in [key for key in draft.state.revisions if key.startswith(f"{service.key}@")]:
        _forget_revision(draft, key)
    draft.tell("service.removed", service.key, "removed", service.request)


def _old_revisions(draft: Draft, service: Service) -> None:
    """A service keeps the revision that it has, the one before it, and those that a task was made from."""
    kept = {task.revision for task in draft.state.tasks_of(service.key)} | {service.revision, service.previous_revision}
    for key in [key for key in draft.state.revisions if key.startswith(f"{service.key}@")]:
        if key.rpartition("@")[2] not in kept:
            _forget_revision(draft, key)


def _forget_revision(draft: Draft, key: str) -> None:
    note_used(draft, draft.state.revisions[key])
    draft.put(Change("revisions", key, None))


def _is_used(state: State, network: Network) -> bool:
    """Whether a task of its stack has an address there."""
    return any(network.name in task.addresses for task in state.tasks_in(network.stack))


def _is_gone(draft: Draft, stack: Stack) -> bool:
    if draft.state.services_of(stack.name):
        return False
    networks = {network.name for network in stack.spec.networks.values() if not network.external}
    volumes = set(stack.remove_volumes)
    return not any(networks & set(node.networks) or volumes & set(node.volumes) for node in draft.state.nodes.values())
