"""Configs and secrets: the file's own, and which of them a service is given."""

from __future__ import annotations

import posixpath
from typing import Any

from cluster.compose.canonical.external import external, named
from cluster.compose.canonical.mounts import octal
from cluster.compose.canonical.pairs import options, texts
from cluster.compose.canonical.scope import Scope
from cluster.compose.findings import quote
from cluster.compose.reading.files import local_path
from cluster.compose.reading.keys import Table, filled, later, read
from cluster.compose.reading.value import Value
from cluster.compose.report import Refused
from cluster.configs import LARGEST, LARGEST_ID

# What Swarm's store takes, so that a file means the same in both.
LARGEST_SECRET = 500 * 1024
SECRETS = "/run/secrets"

_SOURCES = ("file", "environment", "content", "external")


def config(key: str, value: Value, scope: Scope) -> dict[str, Any]:
    """An entry of the top-level `configs`."""
    return _source(key, value, CONFIG, LARGEST, scope)


def secret(key: str, value: Value, scope: Scope) -> dict[str, Any]:
    """An entry of the top-level `secrets`."""
    return _source(key, value, SECRET, LARGEST_SECRET, scope)


def _source(key: str, value: Value, table: Table, most: int, scope: Scope) -> dict[str, Any]:
    keys = read(value, table)
    given = [source for source in _SOURCES if source in keys]
    if not given and "driver" not in keys:
        possible = ", ".join(source for source in _SOURCES if source in table)
        raise value.refuse("says nowhere what is in it", f"give it one of {possible}", "missing")
    if len(given) > 1 and "external" not in given:
        raise value.refuse(f"has {' and '.join(given)}", "leave one of them", "conflict")
    if len(given) > 1:
        value.withhold(f"is external, and has {given[0]}", "remove one of the two", "conflict")
    size = len(keys.get("content", "").encode())
    if size > most:
        raise value.refuse(f"holds {size} bytes, more than {most}", code="too-large")
    return filled(named(key, keys, scope.stack), "content")


def check_config(found: dict[str, Any], value: Value, scope: Scope) -> None:
    """Keep what a used config is made of; raises `Refused` where that cannot be had here."""
    content = _content(found, value, LARGEST, scope)
    if content is not None:
        scope.contents[str(value.path[-1])] = content


def check_secret(found: dict[str, Any], value: Value, scope: Scope) -> None:
    """The same of a used secret, which a deploy alone needs: who only looks at a file may not be meant to have it."""
    try:
        _content(found, value, LARGEST_SECRET, scope)
    except Refused as refused:
        value.report.refusals.append(refused.finding)


def _content(found: dict[str, Any], value: Value, most: int, scope: Scope) -> bytes | None:
    """What it holds; None for one that is not made here, and for one of a variable that is not set."""
    entries = value.entries()
    if path := found.get("file"):
        data = scope.files.data(path, entries["file"], "create it, or leave out what uses it")
        if len(data) > most:
            raise entries["file"].refuse(f"{quote(path)} holds {len(data)} bytes, more than {most}", code="too-large")
        return data
    variable, variables = found.get("environment"), value.place.text.variables
    if variable and variable not in variables:
        message = f"the variable {variable} is not set"
        entries["environment"].withhold(message, f"set {variable}", "required-variable")
    if variable:
        return variables[variable].encode() if variable in variables else None
    return found["content"].encode() if "content" in found else None


def configs(value: Value) -> list[dict[str, Any]]:
    """`configs` of a service, each once."""
    return _once(value.each(_config))


def secrets(value: Value) -> list[dict[str, Any]]:
    """`secrets` of a service, each once."""
    return _once(value.each(_secret))


def _once(grants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({repr(sorted(grant.items())): grant for grant in grants}.values())


def _config(item: Value) -> dict[str, Any]:
    return _grant(item, "/") if item.is_map else {"source": item.string()}


def _secret(item: Value) -> dict[str, Any]:
    if item.is_map:
        return _grant(item, SECRETS)
    name = item.string()
    return {"source": name, "target": f"{SECRETS}/{name}"}


def _grant(item: Value, folder: str) -> dict[str, Any]:
    keys = filled(read(item, GRANT, {"source": "name it: source: NAME"}))
    target = keys.get("target", "")
    if ".." in target.split("/") or (posixpath.join(folder, target).endswith("/") and target):
        raise item.refuse(f"the target {quote(target)} is no path of a file", 'write it without ".."', "path")
    return keys


def _number(value: Value) -> str:
    """An id of a user or group; a name would be another one's in each image."""
    text = value.rendered()
    if not text.isdigit() or int(text) > LARGEST_ID:
        raise value.refuse(f"{quote(text)} is no id", 'write its number, as in "1000"')
    return text


def _mode(value: Value) -> str:
    """A file mode. A number is what YAML made of it: `0440` is octal there, `440` is not."""
    number = getattr(value.node, "value", None)
    if not isinstance(number, int) or isinstance(number, bool):
        return f"{octal(value):04o}"
    mode = value.integer(0, 0o7777)
    written = getattr(value.node, "text", "")
    if not written.startswith("0"):
        value.warn(f"{written} is a decimal number, and the mode {mode:04o}", f'write "0{written}"', "number")
    return f"{mode:04o}"


GRANT: Table = {
    "source": Value.string,
    "target": Value.string,
    "uid": _number,
    "gid": _number,
    "mode": _mode,
}
_COMMON: Table = {
    "name": Value.string,
    "external": external,
    "file": local_path,
    "environment": Value.string,
    "labels": texts,
    **later(template_driver=Value.string),
}
CONFIG: Table = {**_COMMON, "content": Value.string}
SECRET: Table = {**_COMMON, **later(driver=Value.string, driver_opts=options)}
