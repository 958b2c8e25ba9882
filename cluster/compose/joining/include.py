"""`include`: other compose files, with a folder and variables of their own."""

from __future__ import annotations

import posixpath
from typing import Any

from cluster.compose.findings import quote
from cluster.compose.reading.files import Files, local_path, seen_from
from cluster.compose.reading.keys import Table, plain, read
from cluster.compose.reading.value import Value
from cluster.compose.tree.nodes import Entry, Mapping
from cluster.compose.tree.text import Text


def included(value: Value, files: Files) -> list[Text]:
    """The files of one entry of `include`, to be merged as several `-c` are; their content is not read yet.

    The entry is a path, or a map with path, project_directory and env_file. Raises `Refused`.
    """
    keys: dict[str, Any] = (
        read(value, INCLUDE, {"path": "name the file: path: FILE"}) if value.is_map else {"path": _paths(value)}
    )
    paths: list[str] = keys["path"]
    if not paths:
        raise value.refuse("names no file", code="file")
    folder = keys.get("project_directory") or posixpath.dirname(paths[0])
    outer = value.place.text
    variables: dict[str, str] = {}
    if "env_file" in keys:
        for path in keys["env_file"]:
            variables.update(files.variables(path, value, outer.variables, before=variables))
    else:
        variables.update(files.variables(posixpath.join(folder, ".env"), value, outer.variables, required=False))
    variables.update(outer.variables)
    return [Text(seen_from(outer, path), "", path, folder, variables, outer.home) for path in paths]


def with_resources(base: Mapping, found: Mapping, value: Value) -> Mapping:
    """Two trees whose resources are of one stack. One name for two things is `Refused`: that is for `-c` to merge."""
    entries = dict(base.entries)
    for kind, entry in found.entries.items():
        before = entries.get(kind)
        if kind not in KINDS or not isinstance(entry.value, Mapping):
            entries.setdefault(kind, entry)
        elif before is None or not isinstance(before.value, Mapping):
            entries[kind] = entry
        else:
            for name in before.value.entries.keys() & entry.value.entries.keys():
                one, two = before.value.entries[name], entry.value.entries[name]
                if plain(one.value) != plain(two.value):
                    there = f"{two.place.text.shown}:{two.place.line}"
                    message = f"{quote(name)} of {kind} is said again at {there}, and otherwise"
                    hint = "rename one, or include both files by one path: [FILE, OVER IT]"
                    raise value.refuse(message, hint, "conflict")
            both = {**before.value.entries, **entry.value.entries}
            entries[kind] = Entry(before.place, Mapping.of(before.value.place, both))
    return Mapping.of(base.place, entries)


def _paths(value: Value) -> list[str]:
    return value.each(local_path) if value.is_list else [local_path(value)]


KINDS = ("services", "networks", "volumes", "configs", "secrets", "models")
INCLUDE: Table = {"path": _paths, "project_directory": local_path, "env_file": _paths}
