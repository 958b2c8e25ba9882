"""`build`."""

from __future__ import annotations

import re
from typing import Any

from cluster.compose.canonical.devices import ulimits
from cluster.compose.canonical.grants import secrets
from cluster.compose.canonical.hosts import extra_hosts
from cluster.compose.canonical.pairs import pairs, texts
from cluster.compose.canonical.quantities import bytes_text
from cluster.compose.reading.keys import Table, filled, later, read
from cluster.compose.reading.value import Value

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|git@|[^ ]*\.git(?:#|$)")


def build(value: Value) -> dict[str, Any]:
    """How the image is made: a path, or a map. The context is made absolute."""
    if not value.is_map:
        return {"context": _context(value), "dockerfile": "Dockerfile"}
    keys = filled(read(value, BUILD))
    if "dockerfile" in keys and "dockerfile_inline" in keys:
        raise value.refuse("has dockerfile and dockerfile_inline", "remove one of the two", "conflict")
    keys.setdefault("context", value.place.text.folder)
    if "dockerfile_inline" not in keys:
        keys.setdefault("dockerfile", "Dockerfile")
    return keys


def _context(value: Value) -> str:
    text = value.string()
    if not _URL.match(text):
        return value.place.text.resolve(text)
    value.withhold("a build from a URL is not supported", "check it out, and name the folder")
    return text


def _arguments(value: Value) -> dict[str, str]:
    """The arguments; one without a value takes that of its variable, and is left out where there is none."""
    variables = value.place.text.variables
    found = {key: variables.get(key) if text is None else text for key, text in pairs(value).items()}
    return {key: text for key, text in found.items() if text is not None}


def _contexts(value: Value) -> dict[str, str]:
    """More folders by name; what is neither a URL nor an image is a path."""
    resolve = value.place.text.resolve
    return {key: text if ":" in text else resolve(text) for key, text in texts(value).items()}


def _attestation(value: Value) -> str:
    return value.rendered()


BUILD: Table = {
    "context": _context,
    "dockerfile": Value.string,
    "args": _arguments,
    "target": Value.string,
    "labels": texts,
    "network": Value.string,
    "no_cache": Value.boolean,
    "pull": Value.boolean,
    **later(
        additional_contexts=_contexts,
        cache_from=Value.texts,
        cache_to=Value.texts,
        dockerfile_inline=Value.string,
        entitlements=Value.texts,
        extra_hosts=extra_hosts,
        isolation=Value.string,
        platforms=Value.texts,
        privileged=Value.boolean,
        provenance=_attestation,
        sbom=_attestation,
        secrets=secrets,
        shm_size=bytes_text,
        ssh=texts,
        tags=Value.texts,
        ulimits=ulimits,
    ),
}
