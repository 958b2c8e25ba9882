"""`environment`, `env_file`, `labels` and all else that is a map of texts or a list of `KEY=value`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cluster.compose.dotenv import parse_env_file
from cluster.compose.findings import ComposeError, quote
from cluster.compose.keys import Table, read
from cluster.compose.scope import Scope
from cluster.compose.value import Value


@dataclass(frozen=True, slots=True)
class EnvFile:
    """An entry of `env_file`; `value` is where it stands in the compose file."""

    path: str
    value: Value
    required: bool = True
    raw: bool = False


def pairs(value: Value) -> dict[str, str | None]:
    """A map, or a list of `KEY=value`. None stands for a key without a value; of a key's values the last wins."""
    if value.is_list:
        return dict(value.each(_pair))
    found: dict[str, str | None] = {}
    for key, child in value.entries().items():
        if child.is_null:
            found[_name(key, child)] = None
        elif (text := child.attempt(Value.rendered)) is not None:
            found[_name(key, child)] = text
    return found


def texts(value: Value) -> dict[str, str]:
    """The same where a key without a value has an empty one, as with labels."""
    return {key: text or "" for key, text in pairs(value).items()}


def _pair(item: Value) -> tuple[str, str | None]:
    if item.is_map:
        raise item.refuse(
            "must be a text", 'write "KEY=value", without a colon, or make it a map without dashes', "type"
        )
    key, equals, text = item.rendered().partition("=")
    return _name(key, item), text if equals else None


def _name(key: str, value: Value) -> str:
    if not key or "=" in key or "\0" in key:
        raise value.refuse(f"{quote(key)} cannot be a name", 'a name is not empty and holds no "="')
    return key


def env_files(value: Value) -> list[EnvFile]:
    """`env_file`: a path, or a list of paths and of maps with path, required and format."""
    return value.each(_env_file) if value.is_list else [_env_file(value)]


def _env_file(value: Value) -> EnvFile:
    if not value.is_map:
        return EnvFile(value.string(), value)
    keys = read(value, _ENV_FILE, {"path": "name the file: path: FILE"})
    return EnvFile(keys["path"], value, keys.get("required", True), keys.get("format") == "raw")


_ENV_FILE: Table = {
    "path": Value.string,
    "required": Value.boolean,
    "format": lambda value: value.word(("raw",)),
}


def environment(declared: dict[str, str | None], files: list[EnvFile], scope: Scope) -> dict[str, str]:
    """A service's variables: its files in order, then its own; a key without a value takes the person's, if any."""
    found: dict[str, str] = {}
    for file in files:
        variables = file.value.attempt(_reading(file, scope))
        found.update(variables or {})
    for key, text in declared.items():
        own = scope.environment.get(key) if text is None else text
        if own is not None:
            found[key] = own
        elif text is None:
            found.pop(key, None)
    return found


def _reading(file: EnvFile, scope: Scope) -> Callable[[Value], dict[str, str]]:
    def variables(value: Value) -> dict[str, str]:
        data = _bytes(file, scope)
        if data is None:
            return {}
        try:
            found = parse_env_file(file.path, data, scope.environment, raw=file.raw)
        except ComposeError as error:
            for finding in error.findings:
                value.report.refuse(finding)
            return {}
        scope.variables.spend(sum(len(key) + len(text) for key, text in found.items()), value)
        return found

    return variables


def _bytes(file: EnvFile, scope: Scope) -> bytes | None:
    path = scope.path(file.path)
    if path in scope.files:
        return scope.files[path]
    try:
        data = scope.files[path] = scope.read(path)
    except FileNotFoundError as error:
        if not file.required:
            return None
        hint = "create it, or make it optional: {path: FILE, required: false}"
        raise file.value.refuse(f"the file {quote(file.path)} does not exist", hint, "env-file") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise file.value.refuse(f"the file {quote(file.path)} cannot be read: {reason}", code="env-file") from error
    return data
