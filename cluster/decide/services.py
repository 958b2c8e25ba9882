"""Decisions on one service: scale it, hold it down, roll it over, remove it."""

from __future__ import annotations

from dataclasses import replace

from cluster.compose.checks import validate
from cluster.decide.decision import Decided, Decision, Draft, Entropy, Refusal, missing
from cluster.decide.sweep import sweep
from cluster.model import Change, Service, State, revision_key

MAX_REPLICAS = 10_000


def _find(state: State, key: str) -> Service | Refusal:
    service = state.services.get(key)
    if service is None:
        return missing("service", key, state.services)
    if service.removing:
        return Refusal("conflict", f"service {key} is being removed")
    return service


def scale(state: State, key: str, replicas: int, entropy: Entropy) -> Decision:
    """Run this many replicas."""
    service = _find(state, key)
    if isinstance(service, Refusal):
        return service
    if service.spec.mode == "global":
        return Refusal("conflict", f"{key} is global, one task on each machine: constrain it, or label the machines")
    if not 0 <= replicas <= MAX_REPLICAS:
        return Refusal("invalid", f"{replicas} replicas: give a number from 0 to {MAX_REPLICAS}")
    if replicas == service.replicas:
        return Decided(told={key: "unchanged"})
    stack = state.stacks[service.stack]
    scaled = replace(service.spec, replicas=replicas)
    findings = validate(replace(stack.spec, services={**stack.spec.services, service.name: scaled}))
    if findings:
        return Refusal("invalid", "; ".join(found.message for found in findings))
    draft = Draft(state)
    draft.put(Change("services", key, replace(service, replicas=replicas, updated_at=entropy.now)))
    draft.tell("service.scaled", key, f"scaled from {service.replicas} to {replicas}")
    return draft.decided({key: f"scaled from {service.replicas} to {replicas}"})


def hold(state: State, key: str, stopped: bool, entropy: Entropy) -> Decision:
    """Keep a service down, or let it run again."""
    service = _find(state, key)
    if isinstance(service, Refusal):
        return service
    draft = Draft(state)
    told = _hold(draft, service, stopped, entropy)
    return draft.decided({key: told})


def hold_stack(state: State, name: str, stopped: bool, entropy: Entropy) -> Decision:
    """Keep all services of a stack down, or let them run again."""
    if name not in state.stacks:
        return missing("stack", name, state.stacks)
    if state.stacks[name].removing:
        return Refusal("conflict", f"stack {name} is being removed")
    draft = Draft(state)
    told = {service.key: _hold(draft, service, stopped, entropy) for service in state.services_of(name)}
    return draft.decided(told)


def _hold(draft: Draft, service: Service, stopped: bool, entropy: Entropy) -> str:
    word = "stopped" if stopped else "started"
    if service.stopped == stopped:
        return f"{word} already"
    draft.put(Change("services", service.key, replace(service, stopped=stopped, updated_at=entropy.now)))
    draft.tell(f"service.{word}", service.key, f"{word} by hand")
    return word


def update(state: State, key: str, image: str, digest: str, force: bool, entropy: Entropy) -> Decision:
    """Roll a service over: to another image, or (`force`) to new containers of the same spec."""
    service = _find(state, key)
    if isinstance(service, Refusal):
        return service
    spec = replace(service.spec, image=image, digest=digest, image_id="", built_on="") if image else service.spec
    if spec == service.spec and not force:
        return Decided(told={key: "unchanged"})
    revision = spec.revision()
    changed = replace(
        service,
        spec=spec,
        revision=revision,
        previous_revision=service.revision if revision != service.revision else service.previous_revision,
        generation=service.generation + 1 if force else service.generation,
        update="",
        update_message="",
        updated_at=entropy.now,
    )
    draft = Draft(state)
    draft.put(Change("services", key, changed), Change("revisions", revision_key(key, revision), spec))
    told = f"updated to {image}" if image else "restarting"
    draft.tell("service.changed", key, told)
    return draft.decided({key: told})


def remove(state: State, key: str, entropy: Entropy) -> Decision:
    """Remove one service from its stack."""
    service = state.services.get(key)
    if service is None:
        return missing("service", key, state.services)
    if service.removing:
        return Decided(told={key: "is being removed already"})
    stack = state.stacks[service.stack]
    needing = [s.name for s in stack.spec.services.values() if any(d.service == service.name for d in s.depends_on)]
    if needing:
        return Refusal(
            "conflict", f"{', '.join(needing)} depends on {service.name}: remove that first, or change the file"
        )
    rest = {name: spec for name, spec in stack.spec.services.items() if name != service.name}
    draft = Draft(state)
    draft.put(
        Change("services", key, replace(service, removing=True, updated_at=entropy.now)),
        Change("stacks", stack.name, replace(stack, spec=replace(stack.spec, services=rest), updated_at=entropy.now)),
    )
    draft.tell("service.removing", key, "is being removed")
    sweep(draft)
    return draft.decided({key: "removing"})
