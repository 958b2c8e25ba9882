"""`volumes` and `tmpfs` of a service.

The short form is `[source:]target[:options]`: a source that begins with `.`, `/` or `~` is a path of the machine that
runs the task, any other names a volume of the file.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any, get_args

from cluster.compose.canonical.pairs import texts
from cluster.compose.canonical.quantities import bytes_text
from cluster.compose.canonical.scope import Scope
from cluster.compose.findings import quote
from cluster.compose.reading.keys import Table, filled, ignored, later, read
from cluster.compose.reading.value import Value
from cluster.spec import MountType

Mount = dict[str, Any]

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_PROPAGATIONS = ("shared", "slave", "private", "rshared", "rslave", "rprivate")
_TYPES = ("volume", "bind", "tmpfs", "image", "npipe", "cluster")
_HERE = get_args(MountType)
# What Docker Desktop once took for macOS; on Linux it has always meant nothing.
_MEANINGLESS = ("rw", "cached", "delegated", "consistent")
_DRIVE = "one letter and a colon are a drive: name the volume otherwise, or write the mount as a map"
_WORDS = ("ro", *_MEANINGLESS, "nocopy", "z", "Z", *_PROPAGATIONS)


def mounts(value: Value, scope: Scope) -> list[Mount]:
    """The mounts of a service, in the file's order; of two on one target the last, and a deploy is refused them."""
    found: dict[str, Mount] = {}
    for item in value.items():
        mount = item.attempt(lambda item: _long(item, scope) if item.is_map else _short(item, scope))
        if mount is None:
            continue
        target = mount["target"]
        if target in found:
            item.withhold(f"{quote(target)} is mounted already", "remove one of the two", "duplicate")
        else:
            scope.origins[(*value.path, len(found))] = item.place
        found[target] = mount
    return list(found.values())


def _short(item: Value, scope: Scope) -> Mount:
    text = item.string()
    parts = _parts(text)
    if len(parts) > 3 or not all(parts):
        raise item.refuse(f"{quote(text)} is no mount", 'write it as in "data:/var/lib/data" or "./conf:/etc/conf:ro"')
    if len(parts) == 1:
        return {"type": "volume", "target": _target(item, text), "volume": {}}
    source, target = parts[0], _target(item, parts[1], parts[0])
    options = parts[2].split(",") if len(parts) == 3 else []
    for word in options:
        if word not in _WORDS:
            raise item.refuse(f"{quote(word)} is no option of a mount", f"the options are {', '.join(_WORDS)}")
    common = {"target": target, **({"read_only": True} if "ro" in options else {})}
    bind = _bound(options)
    if source[0] in "./~" or _WINDOWS.match(source):
        return {
            "type": "bind",
            "source": _path(item, source, scope),
            **common,
            "bind": {"create_host_path": True, **bind},
        }
    if "/" in source:
        raise item.refuse(f"{quote(source)} is neither a path nor a volume", f'for a path write "./{source}"')
    volume = {"nocopy": True} if "nocopy" in options else {}
    return {"type": "volume", "source": source, **common, "volume": volume, **({"bind": bind} if bind else {})}


def _parts(text: str) -> list[str]:
    """What colons divide; one after a letter alone is a drive's, as Compose has it on every machine."""
    parts: list[str] = []
    for part in text.split(":"):
        if parts and len(parts[-1]) == 1 and parts[-1].isalpha():
            parts[-1] += f":{part}"
        else:
            parts.append(part)
    return parts


def _path(item: Value, source: str, scope: Scope) -> str:
    """A path of the machine, absolute."""
    if not _WINDOWS.match(source):
        path = item.place.text.resolve(source)
        if not source.startswith("/"):
            scope.relative.add(path)
        return path
    item.withhold(f"{quote(source)} is a path of Windows", "tasks run on Linux machines", "path")
    return source


def _bound(options: list[str]) -> Mount:
    bind: Mount = {}
    for word in options:
        if word in ("z", "Z"):
            bind["selinux"] = word
        elif word in _PROPAGATIONS:
            bind["propagation"] = word
    return bind


def _target(item: Value, text: str, source: str = "") -> str:
    if _WINDOWS.match(text):
        item.withhold(f"{quote(text)} is a path of Windows", _DRIVE, "path")
        return text
    if not text.startswith("/"):
        hint = f'write "/{text}"'
        if _WINDOWS.match(source):
            hint = _DRIVE
        elif text in _WORDS:
            hint = "quote the whole mount: between [ and ] a comma ends it"
        raise item.refuse(f"the target {quote(text)} is not absolute", hint)
    return "/" + posixpath.normpath(text).lstrip("/")


def _long(item: Value, scope: Scope) -> Mount:
    keys = read(
        item, LONG, {"type": f"a mount is one of {', '.join(_TYPES)}", "target": "name a path of the container"}
    )
    kind, source = keys["type"], keys.get("source", "")
    if kind in ("bind", "image") and not source:
        raise item.refuse(f"a mount of type {kind} has no source", "name it: source: …")
    if kind == "tmpfs" and source:
        raise item.refuse("a tmpfs has no source", "remove it")
    if kind not in _HERE:
        item.withhold(f"a mount of type {kind} is not supported", f"the types are {', '.join(_HERE)}")
    if kind == "bind":
        keys["source"] = _path(item, source, scope)
    keys["target"] = _target(item, keys["target"])
    return filled(keys, "bind", "tmpfs", "volume")


def _mode(value: Value) -> int:
    """A file mode; written as a text it is octal, as in "1777"."""
    if isinstance(getattr(value.node, "value", None), int):
        return value.integer(0, 0o7777)
    return octal(value)


def octal(value: Value) -> int:
    """A file mode written in octal."""
    text = value.string()
    digits = text.removeprefix("0o")
    if not digits or len(digits) > 5 or set(digits) - set("01234567") or int(digits, 8) > 0o7777:
        raise value.refuse(f"{quote(text)} is no file mode", 'write it in octal, as in "1777"')
    return int(digits, 8)


BIND: Table = {
    "propagation": lambda value: value.word(_PROPAGATIONS),
    "create_host_path": Value.boolean,
    "selinux": lambda value: value.word(("z", "Z")),
    **later(recursive=lambda value: value.word(("enabled", "disabled", "writable", "readonly"))),
}
VOLUME: Table = {"nocopy": Value.boolean, "subpath": Value.string, **later(labels=texts)}
TMPFS: Table = {"size": bytes_text, "mode": _mode}
IMAGE: Table = {"subpath": Value.string}
LONG: Table = {
    "type": lambda value: value.word(_TYPES),
    "source": Value.string,
    "target": Value.string,
    "read_only": Value.boolean,
    "bind": lambda value: read(value, BIND),
    "volume": lambda value: read(value, VOLUME),
    "tmpfs": lambda value: read(value, TMPFS),
    "image": lambda value: read(value, IMAGE),
    "consistency": ignored(Value.string),
}


def tmpfs(value: Value) -> list[str]:
    """`tmpfs`: one `path[:options]`, or a list of them."""
    entries = value.each(_tmpfs_entry) if value.is_list else [_tmpfs_entry(value)]
    return list(dict.fromkeys(entries))


def _tmpfs_entry(item: Value) -> str:
    text = item.string()
    _target(item, text)
    return text
