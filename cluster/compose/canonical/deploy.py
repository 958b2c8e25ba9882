"""`deploy`, and the keys of a service that mean the same: `restart`, `scale`, `mem_limit`, `cpus`, `pids_limit`."""

from __future__ import annotations

import re
from typing import Any, get_args

from cluster.compose.bounds import MOST_CPUS, MOST_REPLICAS
from cluster.compose.canonical.devices import device_request
from cluster.compose.canonical.pairs import texts
from cluster.compose.canonical.placement import placement
from cluster.compose.canonical.quantities import bytes_text, duration
from cluster.compose.findings import quote
from cluster.compose.reading.keys import Row, Table, filled, ignored, later, read
from cluster.compose.reading.value import Value
from cluster.spec import FailureAction, RestartCondition, UpdateOrder

MOST_ATTEMPTS = 2**31 - 1
MOST_PIDS = 2**31 - 1

MODES = ("replicated", "global", "replicated-job", "global-job")
_RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::([0-9]{1,9}))?")


def replicas(value: Value) -> int:
    """A number of tasks; 0 is legal."""
    return value.integer(0, MOST_REPLICAS)


def cpus(value: Value) -> float:
    """A number of cores; 0 is no limit."""
    number = value.number(0.0, MOST_CPUS)
    return int(number) if number.is_integer() else number


def pids(value: Value) -> int:
    """A number of processes; -1 and 0 are no limit."""
    return value.integer(-1, MOST_PIDS)


def restart(value: Value) -> str:
    """A service's `restart`."""
    if isinstance(getattr(value.node, "value", None), bool):
        raise value.refuse("must be a text, not a boolean", 'quote it: "no"', "type")
    text = value.string()
    if _RESTART.fullmatch(text) is None:
        raise value.refuse(f"{quote(text)} is none of no, always, unless-stopped, on-failure[:times]", code="choice")
    return text


def deploy(value: Value) -> dict[str, Any]:
    """What `deploy` says."""
    keys = read(value, DEPLOY)
    if keys.get("mode") in ("global", "global-job") and "replicas" in keys:
        value.withhold(f"has replicas, and the mode {keys['mode']}", "remove one of the two", "conflict")
    return {"placement": {}, "resources": {}, **filled(keys)}


def _mode(value: Value) -> str:
    mode = value.word(MODES)
    if mode not in ("replicated", "global"):
        value.withhold(f"the mode {mode} is not supported yet", 'write "replicated" or "global"')
    return mode


def _condition(value: Value) -> str:
    """When to try again; the words of a service's `restart` are taken for what they mean."""
    return value.word((*get_args(RestartCondition), "always", "unless-stopped", "no"))


def _resources(value: Value) -> dict[str, Any]:
    return filled(read(value, RESOURCES))


def _generic(value: Value) -> dict[str, Any]:
    return read(value, GENERIC)


def unheeded(reader: Any) -> Row:
    """A key that is checked and kept, and not followed yet: an update goes on without it."""
    return ignored(reader, "not followed yet")


LIMITS: Table = {"cpus": cpus, "memory": bytes_text, "pids": pids}
DISCRETE: Table = {"kind": Value.string, "value": lambda value: value.integer(0, 2**63 - 1)}
GENERIC: Table = {"discrete_resource_spec": lambda value: read(value, DISCRETE)}
RESERVATIONS: Table = {
    "cpus": cpus,
    "memory": bytes_text,
    "devices": lambda value: value.each(device_request),
    **later(generic_resources=lambda value: value.each(_generic)),
}
RESOURCES: Table = {
    "limits": lambda value: read(value, LIMITS),
    "reservations": lambda value: filled(read(value, RESERVATIONS)),
}
RESTART_POLICY: Table = {
    "condition": _condition,
    "delay": duration,
    "max_attempts": lambda value: value.integer(0, MOST_ATTEMPTS),
    "window": unheeded(duration),
}
_PACE: Table = {
    "parallelism": replicas,
    "delay": unheeded(duration),
    "order": lambda value: value.word(get_args(UpdateOrder)),
    "monitor": unheeded(duration),
    "max_failure_ratio": unheeded(lambda value: value.number(0.0, 1.0)),
}
UPDATE: Table = {**_PACE, "failure_action": unheeded(lambda value: value.word(get_args(FailureAction)))}
ROLLBACK: Table = {**_PACE, "failure_action": lambda value: value.word(("pause", "continue"))}
DEPLOY: Table = {
    "mode": _mode,
    "replicas": replicas,
    "labels": texts,
    "placement": lambda value: filled(placement(value)),
    "resources": _resources,
    "restart_policy": lambda value: read(value, RESTART_POLICY),
    "update_config": lambda value: read(value, UPDATE),
    "rollback_config": unheeded(lambda value: read(value, ROLLBACK)),
    "endpoint_mode": ignored(
        lambda value: value.word(("vip", "dnsrr")), "names resolve to the addresses of all healthy tasks"
    ),
}
