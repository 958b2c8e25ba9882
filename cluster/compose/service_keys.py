"""The keys of a service, each with what reads it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import partial
from typing import Any

from cluster.compose import deploy
from cluster.compose.build import build
from cluster.compose.commands import command
from cluster.compose.environment import env_files, pairs, texts
from cluster.compose.findings import quote
from cluster.compose.healthcheck import healthcheck
from cluster.compose.keys import Fact, Table, Unread, later, read, unheeded
from cluster.compose.mounts import mounts, tmpfs
from cluster.compose.networks import attachments
from cluster.compose.ports import expose, ports
from cluster.compose.quantities import duration
from cluster.compose.scope import Scope
from cluster.compose.value import Value
from cluster.spec import Dependency, Logging, PullPolicy

_CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
_NETWORK_MODES = ("host", "none", "bridge")
_PULL_POLICIES: dict[str, PullPolicy] = {
    "missing": "missing", "if_not_present": "missing", "build": "missing", "always": "always", "never": "never"
}  # fmt: skip


def service_keys(scope: Scope) -> Table:
    """Every key of a service; paths and ranges of ports are read within `scope`."""
    return {
        **_FIXED,
        "build": _within(build, scope),
        "ports": _within(ports, scope),
        "volumes": _within(mounts, scope),
    }


def _network_mode(value: Value) -> str:
    mode = value.string()
    if mode.startswith(("service:", "container:")):
        hint = "give both services a network, and use the service's name"
        raise value.refuse(f"{quote(mode)} is not supported: it ties two containers together", hint, "unsupported")
    return value.word(_NETWORK_MODES)


def _pull_policy(value: Value) -> PullPolicy:
    policy = value.string()
    if policy in ("daily", "weekly") or policy.startswith("every_"):
        value.warn(f'{quote(policy)} is not supported yet: the policy is "missing"', code="unsupported")
        return "missing"
    return _PULL_POLICIES[value.word(_PULL_POLICIES)]


def _depends_on(value: Value) -> tuple[Dependency, ...]:
    if value.is_list:
        return tuple(Dependency(name) for name in sorted(set(value.each(Value.string))))
    found = (child.attempt(partial(_dependency, name)) for name, child in sorted(value.entries().items()))
    return tuple(dependency for dependency in found if dependency is not None)


def _dependency(name: str, value: Value) -> Dependency:
    return Dependency(name, **read(value, _DEPENDENCY))


def _extra_hosts(value: Value) -> tuple[str, ...]:
    """`host:address` or `host=address`, or a map of hosts to one address or a list of them; as `host:address`."""
    if value.is_list:
        return tuple(value.each(_extra_host))
    hosts: list[str] = []
    for name, child in value.entries().items():
        addresses = child.items() if child.is_list else [child]
        hosts.extend(f"{name}:{_host_address(address, address.string())}" for address in addresses)
    return tuple(hosts)


def _extra_host(item: Value) -> str:
    text = item.string()
    name, separator, address = text.partition("=" if "=" in text else ":")
    if not name or not separator:
        raise item.refuse(f"{quote(text)} is no host and address", 'write it as in "db.example:10.1.0.5"')
    return f"{name}:{_host_address(item, address)}"


def _host_address(item: Value, text: str) -> str:
    bare = text.removeprefix("[").removesuffix("]")
    if bare == "host-gateway":
        return bare
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise item.refuse(f"{quote(text)} is no IP address", 'write it as in "10.1.0.5"') from None


def _capabilities(value: Value) -> tuple[str, ...]:
    """Capabilities in upper case and without their prefix, so that two ways to write one are equal."""
    return tuple(dict.fromkeys(text.upper().removeprefix("CAP_") for text in value.each(Value.string)))


def _stop_signal(value: Value) -> str:
    text = value.rendered()
    if not text.replace("+", "").replace("-", "").isalnum() or not text.isascii():
        raise value.refuse(f"{quote(text)} is no signal", "write it as in SIGTERM")
    return text


def _logging(value: Value) -> Logging:
    return Logging(**read(value, {"driver": Value.string, "options": texts}))


def _within(reader: Callable[[Value, Scope], Any], scope: Scope) -> Callable[[Value], Any]:
    return lambda value: reader(value, scope)


_DEPENDENCY: Table = {
    "condition": lambda value: value.word(_CONDITIONS),
    "required": Value.boolean,
    "restart": unheeded(Value.boolean),
}


_FIXED: Table = {
    "attach": Unread.IGNORED,
    "cap_add": _capabilities,
    "cap_drop": _capabilities,
    "command": command,
    "container_name": unheeded(Value.string),
    "cpus": deploy.cpus,
    "depends_on": _depends_on,
    "deploy": deploy.deploy,
    "develop": Unread.IGNORED,
    "entrypoint": command,
    "env_file": env_files,
    "environment": pairs,
    "expose": expose,
    "extends": Fact(Unread.REFUSED, "copy the keys, or share them by a YAML anchor and <<"),
    "extra_hosts": _extra_hosts,
    "healthcheck": healthcheck,
    "hostname": Value.string,
    "image": Value.string,
    "init": Value.boolean,
    "labels": texts,
    "links": Fact(Unread.IGNORED, "services find each other by name on their networks"),
    "logging": _logging,
    "mem_limit": deploy.memory,
    "network_mode": _network_mode,
    "networks": attachments,
    "pids_limit": deploy.pids,
    "privileged": Value.boolean,
    "profiles": Value.texts,
    "provider": Unread.REFUSED,
    "pull_policy": _pull_policy,
    "read_only": Value.boolean,
    "restart": deploy.restart,
    "scale": deploy.replicas,
    "stdin_open": Value.boolean,
    "stop_grace_period": duration,
    "stop_signal": _stop_signal,
    "tmpfs": tmpfs,
    "tty": Value.boolean,
    "user": Value.string,
    "volumes_from": Fact(Unread.REFUSED, "name a volume, and mount it in both services"),
    "working_dir": Value.string,
    **later(
        "annotations",
        "blkio_config",
        "cgroup",
        "cgroup_parent",
        "configs",
        "cpu_count",
        "cpu_percent",
        "cpu_period",
        "cpu_quota",
        "cpu_rt_period",
        "cpu_rt_runtime",
        "cpu_shares",
        "cpuset",
        "credential_spec",
        "device_cgroup_rules",
        "devices",
        "dns",
        "dns_opt",
        "dns_search",
        "domainname",
        "external_links",
        "gpus",
        "group_add",
        "ipc",
        "isolation",
        "label_file",
        "mac_address",
        "mem_reservation",
        "mem_swappiness",
        "memswap_limit",
        "models",
        "oom_kill_disable",
        "oom_score_adj",
        "pid",
        "platform",
        "post_start",
        "pre_start",
        "pre_stop",
        "pull_refresh_after",
        "runtime",
        "secrets",
        "security_opt",
        "shm_size",
        "storage_opt",
        "sysctls",
        "ulimits",
        "use_api_socket",
        "userns_mode",
        "uts",
    ),
}
