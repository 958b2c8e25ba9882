"""Configs over the whole stack: that each has a content, and each file of a service a place."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from cluster.compose.findings import quote
from cluster.compose.problem import Problem
from cluster.configs import LARGEST, LARGEST_ID, ConfigFile, ConfigSpec, decoded
from cluster.spec import ServiceSpec, StackSpec

_LARGEST_MODE = 0o7777


def config_problems(spec: StackSpec) -> Iterator[Problem]:
    """Configs without a content or with too much of it, and files of services that cannot be."""
    holders: dict[str, str] = {}
    for key, config in spec.configs.items():
        path = ("configs", key)
        if problem := _content_problem(path, config):
            yield problem
        if (other := holders.setdefault(config.name, key)) != key:
            message = f"has the name {quote(config.name)}, as {quote(other)}"
            yield Problem(path, message, "rename one", "duplicate", policy=True)
    for name, service in spec.services.items():
        yield from _file_problems(name, service, spec)


def _content_problem(path: tuple[str, ...], config: ConfigSpec) -> Problem | None:
    """An external config has none of its own, and one that was deployed already its digest."""
    if config.external:
        text = "is external, and has a content of its own"
        return Problem(path, text, "remove one of the two", "conflict") if config.content else None
    content = decoded(config.content)
    if content is None:
        return Problem(path, "its content is no base64", code="invalid")
    if not content and not config.digest:
        return Problem(path, "is empty", "write something into it, or remove it", "empty", policy=True)
    if len(content) > LARGEST:
        return Problem(path, f"holds {len(content)} bytes, more than {LARGEST}", "mount a volume", "too-large")
    return None


def _file_problems(name: str, service: ServiceSpec, spec: StackSpec) -> Iterator[Problem]:
    targets = {mount.target.rstrip("/") for mount in service.mounts}
    for index, file in enumerate(service.configs):
        path = ("services", name, "configs", index)
        if file.source not in spec.configs:
            hint = f'add it at the top level, "configs: {{{file.source}: }}"'
            yield Problem(path, f"there is no config {quote(file.source)}", hint, "undefined")
        if posixpath.normpath(file.target) != file.target or not file.target.startswith("/") or file.target == "/":
            message = f"{quote(file.target)} cannot be a target"
            yield Problem(path, message, "name a file below /, without ..", "path", policy=True)
        if file.target in targets:
            message = f"{quote(file.target)} is mounted already"
            yield Problem(path, message, "remove one of the two", "duplicate", policy=True)
        targets.add(file.target)
        yield from _ownership_problems(path, file)


def _ownership_problems(path: tuple[str | int, ...], file: ConfigFile) -> Iterator[Problem]:
    if not 0 <= file.mode <= _LARGEST_MODE:
        yield Problem(path, f"{file.mode:o} is no mode of a file", 'write it as in "0440"', "range")
    for key, number in (("uid", file.uid), ("gid", file.gid)):
        if not 0 <= number <= LARGEST_ID:
            yield Problem(path, f"{number} is no {key}", f"it is from 0 to {LARGEST_ID}", "range")
