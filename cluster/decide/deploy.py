"""Deploying a stack: one decision from the whole file, so that nothing is ever half applied."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from cluster import addresses
from cluster.compose.checks import wrong
from cluster.compose.problem import Problem
from cluster.decide import history, registries
from cluster.decide.configs import settle
from cluster.decide.decision import Decided, Decision, Draft, Entropy, Refusal
from cluster.decide.keeping import keep, left
from cluster.decide.placeable import unplaceable
from cluster.decide.sweep import sweep
from cluster.model import Change, Network, RegistryLogin, Service, Stack, State, revision_key
from cluster.policy import objections
from cluster.progress import obstacle
from cluster.sources import UNTOLD, Origin
from cluster.spec import NetworkSpec, Port, ServiceSpec, StackSpec


def deploy(
    state: State,
    wanted: StackSpec,
    entropy: Entropy,
    logins: Iterable[RegistryLogin] = (),
    *,
    ahead: bool = False,
    prune: bool = False,
    aside: Collection[str] = (),
    origin: Origin = UNTOLD,
) -> Decision:
    """Make the stack be as `wanted` says. An unchanged file gives a decision without changes.

    Services that `wanted` has no more are kept, with `prune` removed, but for those `aside`, which their file has and
    leaves out for now. `logins` are sign-ins to registries that came with it, those alone that are news. `ahead`:
    though no machine that is there could ever have its tasks, for one that is to come. `origin` is kept with the
    revision of the stack that this makes.
    """
    if why := wrong(wanted):
        return Refusal("invalid", why)
    draft = Draft(state)
    spec = settle(draft, wanted)
    if isinstance(spec, Refusal):
        return spec
    refusal = _refuse(state, spec)
    if refusal is not None:
        return refusal
    gone = left(state, spec)
    kept = [one.name for one in gone if not prune or one.name in aside]
    whole = keep(state, spec, kept)
    if isinstance(whole, Refusal):
        return whole
    refusal = None if ahead else _unplaceable(state, whole)
    if refusal is not None:
        return refusal
    known = state.stacks.get(spec.name)
    if known is None or known.spec != whole:
        created = entropy.now if known is None else known.created_at
        draft.put(Change("stacks", spec.name, Stack(spec.name, whole, created, entropy.now)))
    for key, network in spec.networks.items():
        _network(draft, spec.name, key, network)
    told = {name: _service(draft, spec.name, wanted, entropy.now) for name, wanted in spec.services.items()}
    for service in gone:
        told[service.name] = "kept" if service.name in kept else "removed"
        if service.name not in kept:
            draft.put(Change("services", service.key, replace(service, removing=True, updated_at=entropy.now)))
    registries.bring(draft, spec.name, logins)
    history.note(draft, whole, told, origin, entropy.now)
    sweep(draft)
    if any(what not in history.QUIET for what in told.values()):
        draft.tell("stack.deployed", spec.name, ", ".join(f"{name} {what}" for name, what in told.items()))
    return draft.decided(told)


def _refuse(state: State, spec: StackSpec) -> Refusal | None:
    known = state.stacks.get(spec.name)
    if known is not None and known.removing:
        why = obstacle(state, spec.name)
        still = f"stack {spec.name} is still being removed{f': {why}' if why else ''}"
        return Refusal("conflict", f"{still}; deploy it again when it is gone")
    found = tuple(objections(state, spec))
    if found:
        said = "; ".join(f"service {one.path[1]}: {one.message}" for one in found)
        return Refusal("conflict", said, found)
    for name, service in spec.services.items():
        held = _held_port(state, spec.name, service)
        if held is not None:
            return _refused(f"service {name}", held)
    for key, network in spec.networks.items():
        there = state.networks.get(network.name)
        change = None if there is None or network.external else _network_change(spec.name, key, network, there)
        if change is not None:
            return _refused(f"network {network.name}", change)
    return None


def _refused(subject: str, problem: Problem) -> Refusal:
    return Refusal("conflict", f"{subject} {problem.message}: {problem.hint}", (problem,))


def _unplaceable(state: State, spec: StackSpec) -> Refusal | None:
    problem = unplaceable(state, spec)
    if problem is None:
        return None
    way = "or deploy ahead of a machine that is to come (--ahead)"
    return Refusal("conflict", f"service {problem.path[1]} {problem.message}; {way}", (replace(problem, hint=way),))


def _network_change(stack: str, key: str, network: NetworkSpec, known: Network) -> Problem | None:
    """An engine's network cannot be given another subnet, and taking it down would take the stack down with it."""
    path = ("networks", key)
    if known.stack != stack:
        return Problem(path, f"belongs to stack {known.stack}", "mark it external or name it otherwise")
    what = ""
    if network.subnet and known.subnet not in ("", network.subnet):
        what = f"the subnet {known.subnet}"
    elif (network.internal, network.options) != (known.internal, known.options):
        what = "other settings (internal, driver_opts)"
    message = f"has {what}, which cannot change while it is there"
    return Problem(path, message, "remove the stack first, or give the network another name") if what else None


def _held_port(state: State, stack: str, wanted: ServiceSpec) -> Problem | None:
    """The first port that a service of another stack holds."""
    others = [service for service in state.services.values() if service.stack != stack] if wanted.ports else []
    for index, mine in enumerate(wanted.ports):
        for service in others:
            if any(_clash(mine, theirs) for theirs in service.spec.ports):
                message = f"publishes port {mine.published}, which service {service.key} holds"
                path = ("services", wanted.name, "ports", index)
                return Problem(path, message, f"choose another port, or remove {service.key}", "port")
    return None


def _clash(one: Port, other: Port) -> bool:
    """Whether two publications want the same one port; ranges are shared out task by task."""
    if one.published in (None, 0) or other.published in (None, 0) or one.protocol != other.protocol:
        return False
    if one.published_last or other.published_last:
        return False
    everywhere = {"", "0.0.0.0", "::"}
    same_ip = one.host_ip == other.host_ip or one.host_ip in everywhere or other.host_ip in everywhere
    return one.published == other.published and same_ip


def _network(draft: Draft, stack: str, key: str, spec: NetworkSpec) -> None:
    """A new network has no subnet yet, unless the file names one: its first task on a machine gets it one."""
    if spec.external or spec.name in draft.state.networks:
        return
    network = Network(
        name=spec.name,
        stack=stack,
        key=key,
        subnet=spec.subnet,
        gateway=addresses.gateway(spec.subnet) if spec.subnet else "",
        mtu=addresses.MTU,
        internal=spec.internal,
        labels=spec.labels,
        options=spec.options,
    )
    draft.put(Change("networks", spec.name, network))


def _service(draft: Draft, stack: str, spec: ServiceSpec, now: float) -> str:
    """Put the service as wanted, and say in a word what became of it."""
    revision = spec.revision()
    known = draft.state.services.get(f"{stack}/{spec.name}")
    if known is None:
        service = Service(stack, spec.name, spec, revision, spec.replicas, now, now)
        draft.put(
            Change("services", service.key, service), Change("revisions", revision_key(service.key, revision), spec)
        )
        return "created"
    replicas = known.replicas if spec.mode == known.spec.mode == "global" else spec.replicas
    service = replace(known, spec=spec, revision=revision, replicas=replicas, stopped=False, removing=False)
    if service == known:
        return "unchanged"
    if revision != known.revision:
        service = replace(service, previous_revision=known.revision, update="", update_message="")
    draft.put(
        Change("services", service.key, replace(service, updated_at=now)),
        Change("revisions", revision_key(service.key, revision), spec),
    )
    return _word(known, service)


def _word(known: Service, service: Service) -> str:
    if service.revision != known.revision:
        return "updated"
    if known.stopped or known.removing:
        return "started"
    if service.replicas != known.replicas:
        return f"scaled from {known.replicas} to {service.replicas}"
    return "adjusted"


def remove_stack(state: State, name: str, volumes: tuple[str, ...], entropy: Entropy) -> Decision:
    """Begin to remove a stack, with the volumes named; it is gone when its record is."""
    stack = state.stacks.get(name)
    if stack is None:
        return Refusal("not_found", f"there is no stack {name}; gbnt stack ls shows what is there")
    own = {volume.name for volume in stack.spec.volumes.values() if not volume.external}
    foreign = sorted(set(volumes) - own)
    if foreign:
        return Refusal(
            "invalid", f"{', '.join(foreign)} is no volume of stack {name}: it has {', '.join(sorted(own)) or 'none'}"
        )
    if stack.removing and set(volumes) <= set(stack.remove_volumes):
        return Decided(told={name: "is being removed already"})
    draft = Draft(state)
    doomed = tuple(sorted({*stack.remove_volumes, *volumes}))
    draft.put(Change("stacks", name, replace(stack, removing=True, remove_volumes=doomed, updated_at=entropy.now)))
    for service in state.services_of(name):
        draft.put(Change("services", service.key, replace(service, removing=True, updated_at=entropy.now)))
    draft.tell(
        "stack.removing", name, "is being removed" + (f" with its volumes {', '.join(volumes)}" if volumes else "")
    )
    sweep(draft)
    kept = ", ".join(sorted(own - set(doomed)))
    return draft.decided({name: "removing"}, {"volumes_kept": kept} if kept else {})
