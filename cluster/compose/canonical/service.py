"""The keys of a service, each with what reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from cluster.compose.canonical import deploy
from cluster.compose.canonical.build import build
from cluster.compose.canonical.commands import command
from cluster.compose.canonical.dependencies import depends_on
from cluster.compose.canonical.devices import blkio, devices, gpus, ulimits
from cluster.compose.canonical.environment import env_files
from cluster.compose.canonical.grants import configs, secrets
from cluster.compose.canonical.healthcheck import healthcheck
from cluster.compose.canonical.hosts import address, extra_hosts
from cluster.compose.canonical.lifecycle import CREDENTIALS, develop, hooks, provider, used_models
from cluster.compose.canonical.mounts import mounts, tmpfs
from cluster.compose.canonical.networks import attachments, mac_address
from cluster.compose.canonical.pairs import options, pairs, texts
from cluster.compose.canonical.ports import expose, ports
from cluster.compose.canonical.quantities import bytes_text, duration, nanoseconds, swap
from cluster.compose.canonical.scope import Scope
from cluster.compose.findings import quote
from cluster.compose.reading.keys import Table, anything, filled, ignored, later, never, read
from cluster.compose.reading.value import LARGEST_INTEGER, Value

_NETWORK_MODES = ("host", "none", "bridge")
_PULL_POLICY = re.compile(r"always|missing|if_not_present|never|build|refresh|daily|weekly|every_(?P<pause>.+)")
_PULLED_ANEW = re.compile(r"refresh|daily|weekly|every_.+")
_WINDOWS = "it is for Windows containers"
_TIED = ("service:", "container:")


def service_table(scope: Scope) -> Table:
    """Every key of a service; ports and mounts are read within `scope`."""
    return {**FIXED, "ports": partial(ports, scope=scope), "volumes": partial(mounts, scope=scope)}


def _image(value: Value) -> str:
    text = value.string()
    if not text:
        raise value.refuse("names no image", 'write it as in "nginx:1.27"', "image")
    return text


def _network_mode(value: Value) -> str:
    mode = value.string()
    if mode.startswith(_TIED):
        hint = "give both services a network, and use the service's name"
        value.withhold(f"{quote(mode)} is not supported: it ties two containers together", hint)
    elif mode not in _NETWORK_MODES:
        value.withhold(f"{quote(mode)} is none of {', '.join(_NETWORK_MODES)}", "for a network say networks", "choice")
    return mode


def _namespace(value: Value) -> str:
    mode = value.string()
    if mode.startswith(_TIED):
        value.withhold(f"{quote(mode)} is not supported: it ties two containers together", "let each have its own")
    return mode


def _pull_policy(value: Value) -> str:
    policy = value.string()
    found = _PULL_POLICY.fullmatch(policy)
    if found is None or (found["pause"] and nanoseconds(found["pause"]) is None):
        words = "always, missing, if_not_present, never, build, refresh, daily, weekly, every_DURATION"
        raise value.refuse(f"{quote(policy)} is none of {words}", code="choice")
    if _PULLED_ANEW.fullmatch(policy):
        value.warn(f'{quote(policy)} is not supported yet: the policy is "missing"', code="unsupported")
    return "missing" if policy == "if_not_present" else policy


def _stop_signal(value: Value) -> str:
    text = value.rendered()
    if not text.replace("+", "").replace("-", "").isalnum() or not text.isascii():
        raise value.refuse(f"{quote(text)} is no signal", "write it as in SIGTERM")
    return text


def _user_or_group(value: Value) -> list[str]:
    return list(dict.fromkeys(value.each(Value.rendered)))


def _addresses(value: Value) -> list[str]:
    return list(dict.fromkeys(value.each(address) if value.is_list else [address(value)]))


def _microseconds(value: Value) -> int:
    """A count, or a duration."""
    count = nanoseconds(value.rendered())
    return count // 1000 if count else value.integer(0, LARGEST_INTEGER)


def _between(least: int, most: int) -> Callable[[Value], int]:
    return lambda value: value.integer(least, most)


def _logging(value: Value) -> dict[str, Any]:
    return filled(read(value, LOGGING))


def _security_opt(value: Value) -> list[str]:
    return value.each(_security)


def _security(item: Value) -> str:
    text = item.string()
    name, _, profile = text.replace(":", "=", 1).partition("=")
    if name == "seccomp" and profile not in ("unconfined", "builtin"):
        item.withhold("a file of a seccomp profile is not supported yet", 'write "seccomp=unconfined", or leave it out')
    return text


def _texts(value: Value) -> list[str]:
    return value.texts()


LOGGING: Table = {"driver": Value.string, "options": options}
FIXED: Table = {
    "annotations": texts,
    "attach": ignored(Value.boolean),
    "blkio_config": blkio,
    "build": build,
    "cap_add": Value.texts,
    "cap_drop": Value.texts,
    "cgroup": lambda value: value.word(("host", "private")),
    "cgroup_parent": Value.string,
    "command": command,
    "configs": configs,
    "container_name": ignored(Value.string, "kept, but not given to a container yet"),
    "cpu_count": never(_between(0, LARGEST_INTEGER), _WINDOWS),
    "cpu_percent": never(lambda value: value.number(0.0, 100.0), _WINDOWS),
    "cpu_period": _microseconds,
    "cpu_quota": _between(-1, LARGEST_INTEGER),
    "cpu_rt_period": _microseconds,
    "cpu_rt_runtime": _microseconds,
    "cpu_shares": _between(0, LARGEST_INTEGER),
    "cpus": deploy.cpus,
    "cpuset": Value.string,
    "credential_spec": never(lambda value: read(value, CREDENTIALS), _WINDOWS),
    "depends_on": depends_on,
    "deploy": deploy.deploy,
    "develop": ignored(develop),
    "device_cgroup_rules": Value.texts,
    "devices": devices,
    "dns": _addresses,
    "dns_opt": Value.texts,
    "dns_search": Value.words,
    "domainname": Value.string,
    "entrypoint": command,
    "env_file": env_files,
    "environment": pairs,
    "expose": expose,
    "extends": anything,
    "external_links": never(Value.texts, "give both a network, and use the name of the service"),
    "extra_hosts": extra_hosts,
    "gpus": gpus,
    "group_add": _user_or_group,
    "healthcheck": healthcheck,
    "hostname": Value.string,
    "image": _image,
    "init": Value.boolean,
    "ipc": _namespace,
    "isolation": never(Value.string, _WINDOWS),
    "label_file": env_files,
    "labels": texts,
    "links": ignored(Value.texts, "services find each other by name on their networks"),
    "logging": _logging,
    "mac_address": mac_address,
    "mem_limit": bytes_text,
    "mem_reservation": bytes_text,
    "mem_swappiness": lambda value: str(value.integer(0, 100)),
    "memswap_limit": swap,
    "models": never(used_models),
    "network_mode": _network_mode,
    "networks": attachments,
    "oom_kill_disable": Value.boolean,
    "oom_score_adj": _between(-1000, 1000),
    "pid": _namespace,
    "pids_limit": deploy.pids,
    "platform": Value.string,
    "ports": anything,
    "privileged": Value.boolean,
    "profiles": Value.texts,
    "provider": never(provider, "run a service that does the same"),
    "pull_policy": _pull_policy,
    "pull_refresh_after": ignored(Value.string),
    "read_only": Value.boolean,
    "restart": deploy.restart,
    "runtime": Value.string,
    "scale": deploy.replicas,
    "security_opt": _security_opt,
    "shm_size": bytes_text,
    "stdin_open": Value.boolean,
    "stop_grace_period": duration,
    "stop_signal": _stop_signal,
    "storage_opt": options,
    "sysctls": texts,
    "tmpfs": tmpfs,
    "tty": Value.boolean,
    "ulimits": ulimits,
    "user": Value.string,
    "userns_mode": Value.string,
    "uts": _namespace,
    "volumes": anything,
    "volumes_from": never(Value.texts, "name a volume, and mount it in both services"),
    "working_dir": Value.string,
    **later(
        post_start=hooks,
        pre_stop=hooks,
        secrets=secrets,
        use_api_socket=Value.boolean,
    ),
}
