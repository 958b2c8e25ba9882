"""What is done around a container's life: hooks, providers and models, and watching files while developing."""

from __future__ import annotations

from typing import Any

from cluster.compose.canonical.commands import command
from cluster.compose.canonical.pairs import pairs
from cluster.compose.canonical.scope import Scope
from cluster.compose.reading.files import local_path
from cluster.compose.reading.keys import Table, anything, read
from cluster.compose.reading.value import LARGEST_INTEGER, Value

_ACTIONS = ("rebuild", "sync", "restart", "sync+restart", "sync+exec")


def hooks(value: Value) -> list[dict[str, Any]]:
    """`post_start` and `pre_stop`."""
    return value.each(_hook)


def _hook(item: Value) -> dict[str, Any]:
    return read(item, HOOK, {"command": "name the program: command: …"})


def develop(value: Value) -> dict[str, Any]:
    """`develop`, which is for working on one machine."""
    return read(value, DEVELOP)


def provider(value: Value) -> dict[str, Any]:
    """`provider`: a program of the person's machine that stands for a service."""
    return read(value, PROVIDER, {"type": "name the program: type: …"})


def used_models(value: Value) -> dict[str, Any]:
    """`models` of a service: a list of names, or a map of them to variables."""
    if value.is_list:
        return dict.fromkeys(value.texts())
    return {name: child.attempt(lambda child: read(child, USED_MODEL)) for name, child in value.entries().items()}


def model(key: str, value: Value, scope: Scope) -> dict[str, Any]:
    """An entry of the top-level `models`."""
    return read(value, MODEL, {"model": "name it: model: …"})


HOOK: Table = {
    "command": command,
    "environment": pairs,
    "privileged": Value.boolean,
    "user": Value.string,
    "working_dir": Value.string,
}
WATCH: Table = {
    "action": lambda value: value.word(_ACTIONS),
    "exec": lambda value: read(value, HOOK),
    "ignore": Value.words,
    "include": Value.words,
    "initial_sync": Value.boolean,
    "path": local_path,
    "target": Value.string,
}
DEVELOP: Table = {
    "watch": lambda value: value.each(
        lambda item: read(item, WATCH, {"path": "name it: path: …", "action": f"one of {', '.join(_ACTIONS)}"})
    )
}
PROVIDER: Table = {"type": Value.string, "options": anything}
USED_MODEL: Table = {"endpoint_var": Value.string, "model_var": Value.string}
MODEL: Table = {
    "name": Value.string,
    "model": Value.string,
    "context_size": lambda value: value.integer(0, LARGEST_INTEGER),
    "runtime_flags": Value.texts,
}
CREDENTIALS: Table = {"config": Value.string, "file": Value.string, "registry": Value.string}
