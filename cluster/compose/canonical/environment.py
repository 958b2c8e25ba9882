"""`environment` with `env_file`, and `labels` with `label_file`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cluster.compose.canonical.scope import Scope
from cluster.compose.reading.files import local_path
from cluster.compose.reading.keys import Table, read
from cluster.compose.reading.value import Value
from cluster.compose.variables.dotenv import NOTHING, layered


@dataclass(frozen=True, slots=True)
class EnvFile:
    """An entry of `env_file`; `value` is where it stands in the compose file."""

    path: str
    value: Value
    required: bool = True
    raw: bool = False


def env_files(value: Value) -> list[EnvFile]:
    """`env_file`: a path, or a list of paths and of maps with path, required and format."""
    if value.is_map:
        raise value.refuse("must be a text or a list, not a map", 'write "- path: FILE" under it', "type")
    return value.each(_env_file) if value.is_list else [_env_file(value)]


def _env_file(value: Value) -> EnvFile:
    if not value.is_map:
        return EnvFile(local_path(value), value)
    keys = read(value, ENV_FILE, {"path": "name the file: path: FILE"})
    return EnvFile(keys["path"], value, keys.get("required", True), keys.get("format") == "raw")


def environment(
    declared: dict[str, str | None], files: list[EnvFile], own: Value, scope: Scope
) -> dict[str, str | None]:
    """A service's variables: its files, each once and at its first place, then its own, which the files may name.

    A key without a value takes that of the variables that `own`, the service, may name; None says that it has none.
    """
    said = {key: text for key, text in declared.items() if text is not None}
    once: dict[tuple[str, bool], EnvFile] = {}
    for file in files:
        once.setdefault((file.path, file.raw), file)
    found: dict[str, str] = {}
    for file in once.values():
        found.update(_variables(file, scope, layered(file.value.place.text.variables, said), found))
    variables = own.place.text.variables
    whole = {**found, **{key: variables.get(key) if text is None else text for key, text in declared.items()}}
    return dict(sorted(whole.items()))


def labels(declared: dict[str, str], files: list[EnvFile], scope: Scope) -> dict[str, str]:
    """A service's labels: its files in order, then its own. A file may name the labels of those before it alone."""
    found: dict[str, str] = {}
    for file in files:
        found.update(_variables(file, scope, found))
    return dict(sorted({**found, **declared}.items()))


def _variables(
    file: EnvFile, scope: Scope, environment: Mapping[str, str], before: Mapping[str, str] = NOTHING
) -> dict[str, str]:
    def within_budget(value: Value) -> dict[str, str]:
        size = len(scope.files.optional(file.path, value) or b"")
        scope.variables.spend(size, value)  # before it is read: it is read anew for each service that names it
        found = scope.files.variables(
            file.path, value, environment, before=before, required=file.required, raw=file.raw
        )
        scope.variables.spend(max(0, sum(len(key) + len(text) for key, text in found.items()) - size), value)
        return found

    return file.value.attempt(within_budget) or {}


ENV_FILE: Table = {
    "path": local_path,
    "required": Value.boolean,
    "format": lambda value: value.word(("raw",)),
}
