"""Binds of a machine's own paths: what they find wherever a task may go is known before it is deployed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from cluster.ask import asks_as_before
from cluster.compose.problem import Problem
from cluster.compose.tree.nodes import Path, dotted
from cluster.headroom import candidates
from cluster.model import Node, State
from cluster.spec import Mount, ServiceSpec, StackSpec

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Presence:
    """Which of the paths that were asked for are missing on a machine; `unknown` says why nobody can tell."""

    missing: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What keeps a deploy back, and what a person should know all the same."""

    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]


def to_look_for(state: State, spec: StackSpec) -> Mapping[str, tuple[str, ...]]:
    """By the id of each machine the paths that new or changed services would bind there, in order."""
    found: dict[str, dict[str, None]] = {}
    for service in _news(state, spec):
        paths = dict.fromkeys(mount.source for _, mount in _binds(service))
        for node in candidates(state, spec.name, service) if paths else ():
            found.setdefault(node.id, {}).update(paths)
    return {id: tuple(paths) for id, paths in found.items()}


def judge(state: State, spec: StackSpec, found: Mapping[str, Presence], sent: Collection[str] = ()) -> Judged:
    """What the machines said, by their ids. A path that its bind does not make has to be wherever a task may go.

    So has one of `sent`, those that the files name from where they are and that are there, on the machine which the
    deploy came from: what is in them was meant, and not an empty folder. Another that its bind makes is begun empty.
    """
    problems, warnings = list[Problem](), dict[str, None]()
    for service in _news(state, spec):
        open_to_it = candidates(state, spec.name, service)
        for index, mount in _binds(service):
            lacking = [node for node in open_to_it if mount.source in _of(found, node).missing]
            path = ("services", service.name, "volumes", index)
            if lacking and (mount.source in sent or not mount.create_host_path):
                problems.append(_missing(path, mount, lacking, sent))
            elif lacking:
                words = f"{mount.source} is not on {_named(lacking)}: a task of {service.name} finds it empty there"
                warnings[f"{dotted(path)}: {words}"] = None
            for node in open_to_it:
                if why := _of(found, node).unknown:
                    warnings[f"whether {mount.source} is on {node.name} is not known: {why}"] = None
    return Judged(tuple(problems), tuple(warnings))


def _news(state: State, spec: StackSpec) -> Iterator[ServiceSpec]:
    """The services that are new, or bind or go elsewhere than before: of what runs on as it is nothing is asked."""
    for service in spec.services.values():
        known = state.services.get(f"{spec.name}/{service.name}")
        before = known.spec if known is not None else None
        if before is None or before.mounts != service.mounts or not asks_as_before(spec.name, before, service):
            yield service


def _binds(service: ServiceSpec) -> list[tuple[int, Mount]]:
    return [(index, mount) for index, mount in enumerate(service.mounts) if mount.type == "bind"]


def _of(found: Mapping[str, Presence], node: Node) -> Presence:
    return found.get(node.id, Presence(unknown="it does not answer"))


def _missing(path: Path, mount: Mount, lacking: list[Node], sent: Collection[str]) -> Problem:
    message = f"{mount.source} is not on {_named(lacking)}"
    keep = "keep tasks where it is by deploy.placement.constraints"
    if mount.source in sent:
        hint = f"it is here: copy it there, {keep}, or have it sent along as one of configs"
        return Problem(path, message, hint, "no-path")
    return Problem(path, message, f"make it there, {keep}, or say bind.create_host_path: true", "no-path")


def _named(nodes: list[Node]) -> str:
    names = [node.name for node in nodes[:MOST_NAMED]]
    more = len(nodes) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
