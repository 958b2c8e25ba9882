"""What of a spec viewers are shown: all but the values of what often holds secrets, whose keys stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from starlette.requests import HTTPConnection

from cluster.spec import ServiceSpec, StackSpec
from portal.api.access import caller_of, may

VEILED = frozenset({"environment", "args", "options"})
"""The fields whose values are not for viewers: of services and their builds, of logging and of volumes."""


def shown(connection: HTTPConnection, spec: StackSpec | ServiceSpec) -> Any:
    """The spec as the caller may see it: to viewers the values of `VEILED` fields are None."""
    return spec if may(caller_of(connection), "operator") else _veiled(spec)


def _veiled(value: Any) -> Any:
    if is_dataclass(value):
        parts = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: dict.fromkeys(part) if name in VEILED else _veiled(part) for name, part in parts}
    if isinstance(value, Mapping):
        return {key: _veiled(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_veiled(part) for part in value]
    return value
