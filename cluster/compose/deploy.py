"""`deploy`, and the keys of a service that mean the same: `restart`, `scale`, `mem_limit`, `cpus`, `pids_limit`."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, get_args

from cluster.compose.environment import texts
from cluster.compose.findings import quote
from cluster.compose.keys import Fact, Table, Unread, later, read, unheeded
from cluster.compose.placement import placement
from cluster.compose.quantities import duration, size
from cluster.compose.value import Value
from cluster.spec import FailureAction, Resources, RestartCondition, RestartPolicy, UpdateOrder, UpdatePolicy

MOST_REPLICAS = 10_000
MOST_ATTEMPTS = 2**31 - 1
MOST_CPUS = 100_000.0
MOST_PIDS = 2**31 - 1

_MODES = ("replicated", "global", "replicated-job", "global-job")
_RESTART = re.compile(r"no|always|unless-stopped|on-failure(?::([0-9]{1,9}))?")


def replicas(value: Value) -> int:
    """A number of tasks; 0 is legal."""
    return value.integer(0, MOST_REPLICAS)


def cpus(value: Value) -> float | None:
    """A number of cores; 0 is no limit."""
    return value.number(0.0, MOST_CPUS) or None


def pids(value: Value) -> int | None:
    """A number of processes; -1 and 0 are no limit."""
    number = value.integer(-1, MOST_PIDS)
    return number if number > 0 else None


def memory(value: Value) -> int | None:
    """Bytes; 0 is no limit."""
    return size(value) or None


def restart(value: Value) -> RestartPolicy:
    """A service's `restart`, as a policy: `always` and `unless-stopped` are the condition `any`."""
    if isinstance(getattr(value.node, "value", None), bool):
        raise value.refuse("must be a text, not a boolean", 'quote it: "no"', "type")
    text = value.string()
    found = _RESTART.fullmatch(text)
    if found is None:
        raise value.refuse(f"{quote(text)} is none of no, always, unless-stopped, on-failure[:times]", code="choice")
    if text == "no":
        return RestartPolicy("none")
    if text.startswith("on-failure"):
        return RestartPolicy("on-failure", max_attempts=int(found[1] or 0) or None)
    return RestartPolicy("any")


def deploy(value: Value) -> dict[str, Any]:
    """What `deploy` says: replicas, labels, restart_policy, update_config, placement, limits and reservations."""
    keys = read(value, _DEPLOY)
    return {**keys, **keys.pop("resources", {})}


def _mode(value: Value) -> str:
    mode = value.word(_MODES)
    if mode != "replicated":
        value.warn(f'the mode {mode} is not supported yet: the service runs as "replicated"', code="unsupported")
    return mode


def _policy(value: Value) -> RestartPolicy:
    keys = read(value, _RESTART_POLICY)
    return RestartPolicy(**{**keys, "max_attempts": keys.get("max_attempts") or None})


def _update(value: Value) -> UpdatePolicy:
    return UpdatePolicy(**read(value, _UPDATE))


def _limits(value: Value) -> Resources:
    return Resources(**read(value, _LIMITS))


def _reservations(value: Value) -> Resources:
    return Resources(**read(value, _RESERVATIONS))


_LIMITS: Table = {"cpus": cpus, "memory": memory, "pids": pids}
_RESERVATIONS: Table = {"cpus": cpus, "memory": memory, **later("devices", "generic_resources")}
_RESTART_POLICY: Table = {
    "condition": lambda value: value.word(get_args(RestartCondition)),
    "delay": duration,
    "max_attempts": lambda value: value.integer(0, MOST_ATTEMPTS),
    "window": unheeded(duration),
}
_UPDATE: Table = {
    "parallelism": replicas,
    "delay": unheeded(duration),
    "order": lambda value: value.word(get_args(UpdateOrder)),
    "failure_action": unheeded(lambda value: value.word(get_args(FailureAction))),
    "monitor": unheeded(duration),
    "max_failure_ratio": unheeded(lambda value: value.number(0.0, 1.0)),
}
_DEPLOY: Table = {
    "mode": _mode,
    "replicas": replicas,
    "labels": texts,
    "placement": placement,
    "resources": partial(read, table={"limits": _limits, "reservations": _reservations}),
    "restart_policy": _policy,
    "update_config": _update,
    "endpoint_mode": Fact(Unread.LATER, "names resolve to the addresses of all healthy tasks"),
    **later("rollback_config"),
}
