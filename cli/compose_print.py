"""A stack in its canonical form, printed so that it can be read again: as YAML or JSON, or a list of what is in it."""

from __future__ import annotations

from typing import Any

import yaml

from cli.compose_choice import Form, Part
from cli.errors import NotFound
from cli.words import did_you_mean
from cluster.compose.loader import Loaded
from cluster.compose.tree.scalars import resolve


def document(loaded: Loaded, form: Form) -> str:
    """The whole. A dollar is written twice, or reading it again would take it for a variable."""
    escaped = {key: _escaped(value) for key, value in loaded.document.items()}
    if form == "json":
        import json

        return json.dumps(escaped, indent=2, ensure_ascii=False)
    return str(yaml.dump(escaped, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000)).rstrip("\n")


def part(loaded: Loaded, what: Part) -> list[str]:
    """The names of one kind, in order."""
    match what:
        case "images":
            return sorted({service.image for service in loaded.spec.services.values()})
        case "profiles":
            return list(loaded.profiles)
        case _:
            return sorted(loaded.document.get(what, ()))


def hashes(loaded: Loaded, service: str) -> list[str]:
    """`SERVICE HASH` for one service, or for all by `*`: the hash that tells whether a deploy replaces its tasks.

    Raises NotFound.
    """
    services = loaded.spec.services
    if service not in services and service != "*":
        raise NotFound(f"the files have no service {service}{did_you_mean(service, services)}")
    return [f"{name} {one.revision()}" for name, one in services.items() if service in ("*", name)]


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: _escaped(value[key]) for key in sorted(value)}
    return value


class _Dumper(yaml.CSafeDumper):
    """Quotes what a compose file would take for something other than a text: its rules are not YAML 1.1's."""


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.Node:
    style = '"' if not isinstance(resolve(text), str) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
