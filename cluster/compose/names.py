"""Names: what a stack, a service, a container and an image may be called."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cluster.compose.findings import quote
from cluster.compose.problem import Problem
from cluster.spec import ServiceSpec, StackSpec

LONGEST_LABEL = 63
STACK_HINT = "at most 63 lower-case letters, digits, - and _, beginning with a letter or digit"
LONGEST_IMAGE = 255
# A task is a container that carries these itself; a file that set them would hide it from its own cluster.
OWN_LABELS = ("cluster", "node", "stack", "service", "slot", "task", "revision")
RESERVED_LABELS = frozenset(f"gbnt.{key}" for key in OWN_LABELS)

STACK = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SERVICE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9._-]*[a-zA-Z0-9])?")
_CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,200}")
_HOST = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_-]{0,62})(?:\.[a-zA-Z0-9_-]{1,63}){0,10}")
# What an unset variable leaves of a reference: no registry, no tag.
_LACKS_PART = re.compile(r"/.*|.*[:@]|.*//.*")
_RESOURCE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,200}")
_DOMAIN = re.compile(r"(?:[a-zA-Z0-9][a-zA-Z0-9.-]*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
_REPOSITORY_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*+")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*+:[0-9a-fA-F]{32,128}")


def name_problems(spec: StackSpec) -> Iterator[Problem]:
    """What is wrong with the names of a stack."""
    if not STACK.fullmatch(spec.name) or len(spec.name) > LONGEST_LABEL:
        yield Problem(("name",), f"{quote(spec.name)} cannot be a stack's name", STACK_HINT, "name")
    seen: dict[str, str] = {}
    for name, service in spec.services.items():
        path = ("services", name)
        if not _SERVICE.fullmatch(name):
            hint = "letters, digits, -, _ and . with a letter or digit at both ends"
            yield Problem(path, f"{quote(name)} cannot be a service's name", hint, "name")
        elif len(spec.name) + 1 + len(name) > LONGEST_LABEL:
            message = (
                f"{quote(f'{spec.name}_{name}')} is longer than {LONGEST_LABEL} characters, the most of a DNS name"
            )
            yield Problem(path, message, "shorten the service's name or the stack's", "name")
        if (other := seen.setdefault(name.lower(), name)) != name:
            message = f"differs from {quote(other)} in case only, which DNS does not see"
            yield Problem(path, message, "rename one", "name", policy=True)
        yield from _service_problems(name, service)
    yield from _resource_problems(spec)


def _service_problems(name: str, service: ServiceSpec) -> Iterator[Problem]:
    path = ("services", name)
    if service.name != name:  # no file says so, but a program may
        message = f"{quote(service.name)} is another name than the service's key"
        yield Problem((*path, "name"), message, f'write "name": {quote(name)}', "name")
    if not is_image(service.image):
        hint = 'write it as in "registry.example/team/app:1.2", in lower case'
        lacks_part = _LACKS_PART.fullmatch(service.image) is not None
        message = f"{quote(service.image)} is no image reference"
        yield Problem((*path, "image"), message, hint, "image", policy=lacks_part)
    if service.container_name and not _CONTAINER.fullmatch(service.container_name):
        yield Problem(
            (*path, "container_name"), f"{quote(service.container_name)} cannot be a container's name", "", "name"
        )
    if service.hostname and not _HOST.fullmatch(service.hostname) and "{{" not in service.hostname:
        message = f"{quote(service.hostname)} cannot be a host's name"
        yield Problem((*path, "hostname"), message, "", "name", policy=True)
    for key in RESERVED_LABELS.intersection(service.labels):
        yield Problem((*path, "labels", key), "this label is gbnt's own", "remove it", "name", policy=True)
    for key in service.environment:
        if not key or "=" in key or "\0" in key:
            yield Problem((*path, "environment", key), f"{quote(key)} cannot be a variable's name", "", "name")


def _resource_problems(spec: StackSpec) -> Iterator[Problem]:
    named = [("networks", key, network.name) for key, network in spec.networks.items()]
    named += [("volumes", key, volume.name) for key, volume in spec.volumes.items()]
    named += [("configs", key, config.name) for key, config in spec.configs.items()]
    for kind, key, name in named:
        if not _RESOURCE.fullmatch(name):
            message = f"{quote(name)} cannot be a name"
            yield Problem((kind, key), message, "letters, digits, -, _ and .", "name", policy=True)


def is_image(reference: str) -> bool:
    """Whether `reference` is an image reference: `[domain/]path[:tag][@digest]`, or an image's own id."""
    if len(reference) > LONGEST_IMAGE + LONGEST_LABEL + 128:
        return False
    rest, at, digest = reference.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return False
    head, slash, last = rest.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not _TAG.fullmatch(tag):
        return False
    parts = f"{head}{slash}{last}".split("/")
    if len(parts) > 1 and _is_domain(parts[0]):
        parts = parts[1:]
    return all(_REPOSITORY_PART.fullmatch(part) for part in parts) and len(rest) <= LONGEST_IMAGE


def _is_domain(part: str) -> bool:
    return part == "localhost" or (
        (any(mark in part for mark in ".:") or part != part.lower()) and bool(_DOMAIN.fullmatch(part))
    )
