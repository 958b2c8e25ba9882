"""`volumes` and `tmpfs` of a service.

The short form is `[source:]target[:options]`: a source that begins with `.`, `/` or `~` is a path of the machine that
runs the task, any other names a volume of the file.
"""

from __future__ import annotations

import posixpath
import re
from functools import partial
from typing import Any

from cluster.compose.findings import quote
from cluster.compose.keys import Reader, Table, Unread, read
from cluster.compose.quantities import size
from cluster.compose.scope import Scope
from cluster.compose.value import Value
from cluster.spec import Mount

_WINDOWS = re.compile(r"[A-Za-z]:\\|\\\\")
_PROPAGATIONS = ("shared", "slave", "private", "rshared", "rslave", "rprivate")
_TYPES = ("volume", "bind", "tmpfs")
_OPTIONS: dict[str, dict[str, Any]] = {
    "rw": {},
    "ro": {"read_only": True},
    "nocopy": {"no_copy": True},
    "z": {"selinux": "z"},
    "Z": {"selinux": "Z"},
    **{word: {"propagation": word} for word in _PROPAGATIONS},
    # What Docker Desktop once took for macOS; on Linux it has always meant nothing.
    "cached": {},
    "delegated": {},
    "consistent": {},
}


def mounts(value: Value, scope: Scope) -> tuple[Mount, ...]:
    """The mounts of a service, in the file's order."""
    return tuple(value.each(lambda item: _long(item, scope) if item.is_map else _short(item, scope)))


def _short(item: Value, scope: Scope) -> Mount:
    text = item.string()
    _refuse_windows(item, text)
    parts = text.split(":")
    if len(parts) > 3 or not all(parts):
        raise item.refuse(f"{quote(text)} is no mount", 'write it as in "data:/var/lib/data" or "./conf:/etc/conf:ro"')
    if len(parts) == 1:
        return Mount("volume", _target(item, text))
    options = _options(item, parts[2]) if len(parts) == 3 else {}
    source, target = parts[0], _target(item, parts[1])
    if source[0] in "./~":
        return Mount("bind", target, scope.path(source), **options)
    if "/" in source:
        raise item.refuse(f"{quote(source)} is neither a path nor a volume", f'for a path write "./{source}"')
    return Mount("volume", target, source, **options)


def _options(item: Value, text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for word in text.split(","):
        if word not in _OPTIONS:
            raise item.refuse(f"{quote(word)} is no option of a mount", f"the options are {', '.join(_OPTIONS)}")
        options.update(_OPTIONS[word])
    return options


def _target(item: Value, text: str) -> str:
    if not text.startswith("/"):
        raise item.refuse(f"the target {quote(text)} is not absolute", f'write "/{text}"')
    return "/" + posixpath.normpath(text).lstrip("/")


def _refuse_windows(item: Value, text: str) -> None:
    if _WINDOWS.match(text):
        raise item.refuse(f"{quote(text)} is a path of Windows", "tasks run on Linux machines")


def _long(item: Value, scope: Scope) -> Mount:
    keys = read(item, _LONG, {"type": f"a mount is a {', a '.join(_TYPES)}", "target": "name a path of the container"})
    kind, source = keys["type"], keys.get("source", "")
    if kind == "bind" and not source:
        raise item.refuse("a bind has no source", "name the path on the machine: source: PATH")
    _refuse_windows(item, source)
    if kind == "tmpfs" and source:
        raise item.refuse("a tmpfs has no source", "remove it")
    options = {**keys.get("bind", {}), **keys.get("volume", {}), **keys.get("tmpfs", {})}
    return Mount(
        kind,
        _target(item, keys["target"]),
        scope.path(source) if kind == "bind" else source,
        read_only=keys.get("read_only", False),
        **options,
    )


def _renamed(table: Table, names: dict[str, str], value: Value) -> dict[str, Any]:
    """A map of options, under the names that a `Mount` has for them."""
    return {names.get(key, key): option for key, option in read(value, table).items()}


def _mode(value: Value) -> int:
    """A file mode; written as a text it is octal, as in "1777"."""
    if isinstance(getattr(value.node, "value", None), int):
        return value.integer(0, 0o7777)
    text = value.string()
    digits = text.removeprefix("0o")
    if not digits or len(digits) > 5 or set(digits) - set("01234567") or int(digits, 8) > 0o7777:
        raise value.refuse(f"{quote(text)} is no file mode", 'write it in octal, as in "1777"')
    return int(digits, 8)


_BIND: dict[str, Reader | Unread] = {
    "propagation": lambda value: value.word(_PROPAGATIONS),
    "create_host_path": Value.boolean,
    "selinux": lambda value: value.word(("z", "Z")),
    "recursive": Unread.LATER,
}
_VOLUME: dict[str, Reader | Unread] = {"nocopy": Value.boolean, "subpath": Unread.LATER, "labels": Unread.LATER}
_TMPFS: dict[str, Reader | Unread] = {"size": size, "mode": _mode}
_LONG: Table = {
    "type": lambda value: value.word(_TYPES),
    "source": Value.string,
    "target": Value.string,
    "read_only": Value.boolean,
    "bind": lambda value: read(value, _BIND),
    "volume": partial(_renamed, _VOLUME, {"nocopy": "no_copy"}),
    "tmpfs": partial(_renamed, _TMPFS, {"size": "tmpfs_size", "mode": "tmpfs_mode"}),
    "consistency": Unread.IGNORED,
    "image": Unread.LATER,
}


def tmpfs(value: Value) -> tuple[str, ...]:
    """`tmpfs`: one `path[:options]`, or a list of them."""
    entries = value.each(_tmpfs_entry) if value.is_list else [_tmpfs_entry(value)]
    return tuple(entries)


def _tmpfs_entry(item: Value) -> str:
    text = item.string()
    _target(item, text)
    return text
