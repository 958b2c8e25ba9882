"""The specification's own JSON schema, against the tables that the loader reads by.

`python -m tests.repository.compose_schema compose-spec.json` names each key that one has and the other lacks; it prints
nothing where they agree. The file is the specification's, and not kept here.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from cluster.compose.canonical import external
from cluster.compose.reading.keys import OWN, Table
from tests.repository.compose_page import levels

Schema: TypeAlias = Mapping[str, Any]

_FILE = "The file"
_BRANCHES = ("oneOf", "anyOf", "allOf")


def differences(schema: Schema) -> list[str]:
    """What the schema and the tables do not have in common, a line each."""
    said: dict[str, set[str]] = {}
    for path, key in _keys(schema, schema, ""):
        said.setdefault(path or _FILE, set()).add(key)
    found: list[str] = []
    tables = _tables()
    for level, table in tables.items():
        ours = {key for key in table if not key.startswith(OWN)}
        paths = [path for path in said if _pattern(level).fullmatch(path)]
        found += [f"{level}: of the tables alone"] if not paths else []
        for path in paths:
            found += [f"{path}: {key}: of the schema alone" for key in sorted(said[path] - ours)]
            found += [f"{path}: {key}: of the tables alone" for key in sorted(ours - said[path])]
    known = [_pattern(level) for level in tables]
    return found + [f"{path}: of the schema alone" for path in said if not any(one.fullmatch(path) for one in known)]


def _tables() -> Mapping[str, Table]:
    """The table of each level, also where it is another level's, or an old form's."""
    found = levels()
    return {
        **found,
        "services.NAME.build.secrets[]": found["services.NAME.configs[] and secrets[]"],
        "services.NAME.build.ulimits.NAME": found["services.NAME.ulimits.NAME"],
        "services.NAME.develop.watch[].exec": found["services.NAME.post_start[] and pre_stop[]"],
        "*.NAME.external": external.EXTERNAL,
    }


def _keys(node: Schema, root: Schema, path: str) -> Iterator[tuple[str, str]]:
    """Each key that a map of a file may have, with the path that leads to that map."""
    if "$ref" in node:
        node = root["definitions"][node["$ref"].rpartition("/")[2]]
    for one in (one for branch in _BRANCHES for one in node.get(branch, ())):
        yield from _keys(one, root, path)
    for key, one in node.get("properties", {}).items():
        yield path, key
        yield from _keys(one, root, f"{path}.{key}" if path else key)
    others = [one for pattern, one in node.get("patternProperties", {}).items() if not pattern.startswith(f"^{OWN}")]
    for one in (*others, node.get("additionalProperties")):
        if isinstance(one, dict):
            yield from _keys(one, root, f"{path}.NAME")
    if isinstance(node.get("items"), dict):
        yield from _keys(node["items"], root, f"{path}[]")


def _pattern(level: str) -> re.Pattern[str]:
    """What matches the paths that a level of the tables stands for: `a.b[] and c[]`, `a.device_*[]`."""
    head, dot, tail = level.rpartition(".")
    paths = (re.escape(f"{head}{dot}{last}").replace(r"\*", "[a-z_]+") for last in tail.split(" and "))
    return re.compile("|".join(paths))


if __name__ == "__main__":
    told = differences(json.loads(Path(sys.argv[1]).read_bytes()))
    sys.stdout.writelines(f"{line}\n" for line in told)
    sys.exit(bool(told))
