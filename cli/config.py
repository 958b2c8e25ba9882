"""The file of `gbnt serve --config`: the options of the command line as keys of a YAML mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from ipaddress import IPv4Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import yaml

from cli.errors import BadInput
from cli.options import ServeOptions, default_data_dir, names_in
from cli.words import did_you_mean

SECRETS = ("api_token", "web_password")
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:\*\.)?{LABEL}(?:\.{LABEL})*")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("json", "console")
# Of this machine itself, and multicast with what is reserved above it: an engine gives no container any of these.
NO_NETWORKS = tuple(IPv4Network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3"))
KINDS: Mapping[str, type] = {
    **{item.name: str for item in fields(ServeOptions) if item.name not in SECRETS},
    "api_port": int,
    "telemetry_port": int,
    "link_port": int,
    "web": bool,
}


def read_config(path: Path) -> dict[str, object]:
    """The options in the file, by the names of ServeOptions' fields.

    Raises BadInput with the line for a key that is no option, a secret (those go into files of their own), a key that
    is there twice, or a value of another type.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(f"cannot read the options in {path}: {error}") from error
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise BadInput(f"{path} must be a mapping, as `data-dir: /srv/gbnt`")
    found: dict[str, object] = {}
    for key, value in root.value:
        name, loaded = _pair(path, key, value)
        if name in found:
            raise BadInput(f'{_place(path, key)}: "{key.value}" is there twice; keep one')
        found[name] = loaded
    return found


def merged(given: Mapping[str, Any], config: Mapping[str, Any]) -> ServeOptions:
    """The options of the command line over those of the file over the defaults. Raises BadInput for a wrong value."""
    chosen = {**config, **{name: value for name, value in given.items() if value is not None}}
    chosen["data_dir"] = Path(chosen.get("data_dir") or default_data_dir()).absolute()
    options = ServeOptions(**chosen)
    _check(options)
    return options


def _pair(path: Path, key: yaml.Node, value: yaml.Node) -> tuple[str, object]:
    place = _place(path, key)
    written = str(key.value)
    name = written.replace("-", "_")
    if name in SECRETS:
        variable = f"GBNT_{name.upper()}_FILE"
        raise BadInput(f'{place}: "{written}" is a secret: put it into a file of its own and name that in {variable}')
    if name not in KINDS:
        known = [known.replace("_", "-") for known in KINDS]
        raise BadInput(f'{place}: there is no option "{written}"{did_you_mean(written, known)}')
    loaded = yaml.SafeLoader("").construct_object(value, deep=True)
    if type(loaded) is not KINDS[name]:
        raise BadInput(f'{place}: "{written}" must be a {KINDS[name].__name__}, not {loaded!r}')
    return name, loaded


def _check(options: ServeOptions) -> None:
    for name, port in (("api-port", options.api_port), ("telemetry-port", options.telemetry_port)):
        if not 1 <= port <= 65_535:
            raise BadInput(f"{name} {port} is no port: choose one from 1 to 65535")
    if options.api_port == options.telemetry_port:
        raise BadInput(f"api-port and telemetry-port are both {options.api_port}: choose two")
    if options.log_level not in LOG_LEVELS:
        raise BadInput(f'log-level "{options.log_level}" is none of {", ".join(LOG_LEVELS)}')
    if options.log_format not in ("", *LOG_FORMATS):
        raise BadInput(f'log-format "{options.log_format}" is none of {", ".join(LOG_FORMATS)}')
    try:
        ip_address(options.bind)
    except ValueError as error:
        raise BadInput(f'bind "{options.bind}" is no IP address; 0.0.0.0 is every address of this machine') from error
    for name in names_in(options.api_names):
        if not _is_host(name):
            text = f'api-names: "{name}" is no host\'s name or address'
            raise BadInput(f"{text}; write them as rome.example,192.0.2.1")
    if options.network_pool:
        _check_pool(options.network_pool)


def _is_host(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return HOST_NAME.fullmatch(name) is not None
    return "%" not in name  # a zone means something on this machine alone, and stands in no certificate


def _check_pool(text: str) -> None:
    from cluster.addresses import PREFIX  # help needs none of it

    try:
        pool = ip_network(text)
    except ValueError as error:
        raise BadInput(f"network-pool: {error}; write it as 10.64.0.0/10") from error
    if pool.version != 4:
        raise BadInput(f"network-pool {text} is not IPv4, and gbnt's networks are; write it as 10.64.0.0/10")
    if pool.prefixlen > PREFIX:
        raise BadInput(f"network-pool {text} is too small: each network takes a /{PREFIX}; write it as 10.64.0.0/10")
    if any(pool.overlaps(taken) for taken in NO_NETWORKS):
        raise BadInput(f"network-pool {text} has addresses that no container may have; write it as 10.64.0.0/10")


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
