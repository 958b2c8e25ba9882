"""`build`."""

from __future__ import annotations

from cluster.compose.environment import pairs, texts
from cluster.compose.keys import Table, later, read
from cluster.compose.scope import Scope
from cluster.compose.value import Value
from cluster.spec import Build


def build(value: Value, scope: Scope) -> Build:
    """How the image is made: a path, or a map. The context is made absolute; a URL is not taken."""
    if not value.is_map:
        return Build(_context(value, value.string(), scope))
    keys = read(value, _TABLE)
    arguments: dict[str, str | None] = keys.pop("args", {})
    given = {key: scope.environment.get(key) if text is None else text for key, text in arguments.items()}
    keys["args"] = {key: text for key, text in given.items() if text is not None}
    return Build(_context(value, keys.pop("context", "."), scope), **keys)


def _context(value: Value, text: str, scope: Scope) -> str:
    if "://" in text or text.startswith("git@"):
        raise value.refuse("a build from a URL is not supported", "check it out, and name the folder", "unsupported")
    return scope.path(text)


_TABLE: Table = {
    "context": Value.string,
    "dockerfile": Value.string,
    "args": pairs,
    "target": Value.string,
    "labels": texts,
    "network": Value.string,
    "no_cache": Value.boolean,
    "pull": Value.boolean,
    **later(
        "additional_contexts",
        "cache_from",
        "cache_to",
        "dockerfile_inline",
        "entitlements",
        "extra_hosts",
        "isolation",
        "platforms",
        "privileged",
        "provenance",
        "sbom",
        "secrets",
        "shm_size",
        "ssh",
        "tags",
        "ulimits",
    ),
}
