"""Decisions on configs: contents are kept once by their digests, which stand in the specs in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cluster.compose.problem import Problem
from cluster.configs import ConfigFile, ConfigSpec, decoded, digest_of
from cluster.decide.decision import Decision, Draft, Refusal, missing
from cluster.model import Change, Config, Stack, State
from cluster.spec import ServiceSpec, StackSpec


@dataclass(frozen=True, slots=True)
class Held:
    """A config that a stack has brought: `key` is what that calls it, `readers` are the services that read it."""

    stack: str
    key: str
    config: ConfigSpec
    readers: tuple[str, ...]


def settle(draft: Draft, spec: StackSpec) -> StackSpec | Refusal:
    """Keep the contents that a stack brings, and return its spec with their digests in its configs and its services.

    So another content makes another revision, which rolls, and the same content none. An external config is what its
    stack has deployed by now.
    """
    settled: dict[str, ConfigSpec] = {}
    for key, config in spec.configs.items():
        found = _external(draft.state, spec.name, config) if config.external else _own(draft, spec.name, config)
        if isinstance(found, Refusal):
            return replace(found, problems=(Problem(("configs", key), found.message),))
        settled[key] = found
    services = {name: replace(one, configs=_told(one, settled)) for name, one in spec.services.items()}
    return replace(spec, services=services, configs=settled)


def forget_unused(draft: Draft) -> None:
    """Let go of the contents that no stack and no revision of a stack or a service names.

    A task's revision is kept as long as the task is.
    """
    if not draft.state.configs:
        return
    named = {config.digest for stack in draft.state.stacks.values() for config in stack.spec.configs.values()}
    named |= {one.digest for past in draft.state.stack_revisions.values() for one in past.spec.configs.values()}
    named |= {file.digest for spec in draft.state.revisions.values() for file in spec.configs}
    for digest in [digest for digest in draft.state.configs if digest not in named]:
        draft.put(Change("configs", digest, None))


def held(state: State) -> list[Held]:
    """The configs of all stacks, by name. One that is external where it is read counts once, where it is from."""
    readers: dict[str, set[str]] = {}
    for service in state.services.values():
        configs = state.stacks[service.stack].spec.configs
        for config in (configs[file.source] for file in service.spec.configs if file.source in configs):
            readers.setdefault(config.name, set()).add(service.key)
    found = [
        Held(stack.name, key, config, tuple(sorted(readers.get(config.name, ()))))
        for stack in state.stacks.values()
        for key, config in stack.spec.configs.items()
        if not config.external
    ]
    return sorted(found, key=lambda one: one.config.name)


def remove(state: State, name: str) -> Decision:
    """Take a config that no service reads out of its stack, until a deploy of a file that has it brings it back."""
    known = {one.config.name: one for one in held(state)}
    if name not in known:
        return missing("config-file", name, known)
    one = known[name]
    if one.readers:
        those = "is read by" if len(one.readers) == 1 else f"is read by {len(one.readers)} services:"
        words = f"config {name} {those} {', '.join(one.readers)}"
        return Refusal("conflict", f"{words}: deploy without it there, or remove what reads it, first")
    draft, stack = Draft(state), state.stacks[one.stack]
    kept = {key: config for key, config in stack.spec.configs.items() if key != one.key}
    draft.put(Change("stacks", stack.name, replace(stack, spec=replace(stack.spec, configs=kept))))
    draft.tell("config.removed", name, f"taken out of stack {stack.name} by hand")
    forget_unused(draft)
    return draft.decided({name: "removed"})


def may_read(state: State, node: str, digest: str) -> bool:
    """Whether a machine has a task that reads this content."""
    mine = (task for task in state.tasks.values() if task.node == node)
    return any(file.digest == digest for task in mine for file in state.spec_of(task).configs)


def _own(draft: Draft, stack: str, config: ConfigSpec) -> ConfigSpec | Refusal:
    holder = next(_holders(_others(draft.state, stack), config.name), None)
    if holder is not None:
        words = f"config {config.name} belongs to stack {holder[0].name}"
        return Refusal("conflict", f"{words}: mark it external, or give yours another name")
    if not config.content:  # a spec as it is shown, sent back
        if config.digest in draft.state.configs:
            return config
        return Refusal("invalid", f"the content of config {config.name} is not kept here: send it along")
    content = decoded(config.content) or b""
    digest = digest_of(content)
    if digest not in draft.state.configs:
        draft.put(Change("configs", digest, Config(digest, config.content)))
    return replace(config, content="", digest=digest, size=len(content))


def _external(state: State, stack: str, config: ConfigSpec) -> ConfigSpec | Refusal:
    found = next(_holders(_others(state, stack), config.name), None)
    if found is None:
        words = f"no stack has a config {config.name}, which is external"
        return Refusal("conflict", f"{words}: deploy the stack that it comes from first, or correct its name")
    return replace(config, digest=found[1].digest, size=found[1].size)


def _others(state: State, stack: str) -> Iterator[Stack]:
    return (other for other in state.stacks.values() if other.name != stack and not other.removing)


def _holders(stacks: Iterable[Stack], name: str) -> Iterator[tuple[Stack, ConfigSpec]]:
    for stack in stacks:
        for config in stack.spec.configs.values():
            if config.name == name and not config.external:
                yield stack, config


def _told(service: ServiceSpec, configs: dict[str, ConfigSpec]) -> tuple[ConfigFile, ...]:
    return tuple(replace(file, digest=configs[file.source].digest) for file in service.configs)
