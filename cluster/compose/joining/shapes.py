"""Short forms brought to the one in which two files can be merged, and what the items of a list are called."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from cluster.compose.joining.merge import is_null
from cluster.compose.tree.nodes import Entry, Mapping, Node, Scalar, Sequence


def words(node: Node) -> Node:
    """A single word as a list of one."""
    return Sequence.of(node.place, [node]) if isinstance(node, Scalar) and not is_null(node) else node


def pairs(node: Node) -> Node:
    """A list of `KEY=value` as a map; a `KEY` alone has null for a value."""
    if not isinstance(node, Sequence) or not all(isinstance(item, Scalar) for item in node.items):
        return node
    entries: dict[str, Entry] = {}
    for item in node.items:
        key, equals, text = _text(item).partition("=")
        value = Scalar(item.place, text, text) if equals else Scalar(item.place, "", None)
        entries[key] = Entry(item.place, value)
    return Mapping.of(node.place, entries)


def hosts(node: Node) -> Node:
    """A map of hosts to addresses as a list of `host=address`."""
    if not isinstance(node, Mapping):
        return node
    items: list[Node] = []
    for name, entry in node.entries.items():
        addresses = entry.value.items if isinstance(entry.value, Sequence) else [entry.value]
        for address in addresses:
            text = f"{name}={_text(address)}"
            items.append(Scalar(address.place, text, text))
    return Sequence.of(node.place, items)


def names(node: Node) -> Node:
    """A list of names as a map of them to nothing."""
    return _named(node, lambda item: Scalar(item.place, "", None))


def gates(node: Node) -> Node:
    """A list of services to wait for as a map of them to what is waited for."""
    return _named(node, _started)


def context(node: Node) -> Node:
    """A build that is a path alone as a map."""
    if not isinstance(node, Scalar) or is_null(node):
        return node
    return Mapping.of(node.place, {"context": Entry(node.place, node)})


def requests(node: Node) -> Node:
    """`all` devices as a list of one request for them."""
    if not isinstance(node, Scalar) or is_null(node):
        return node
    return Sequence.of(node.place, [Mapping.of(node.place, {"count": Entry(node.place, node)})])


def mount(item: Node) -> object:
    """A mount is known by its target."""
    if isinstance(item, Mapping):
        return _path(_said(item, "target"))
    parts = _text(item).split(":")
    return _path(parts[1] if len(parts) > 1 else parts[0])


def granted(folder: str) -> Callable[[Node], object]:
    """A config or secret of a service is known by where it is put: in `folder`, unless it says otherwise."""

    def grant(item: Node) -> object:
        name = _said(item, "target") or _said(item, "source") if isinstance(item, Mapping) else _text(item)
        return posixpath.normpath(posixpath.join(folder, name))

    return grant


def device(item: Node) -> object:
    """A device is known by where it is put."""
    if isinstance(item, Mapping):
        return _said(item, "target") or _said(item, "source")
    parts = _text(item).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def subnet(item: Node) -> object:
    """A range of addresses is known by its subnet."""
    return _said(item, "subnet") if isinstance(item, Mapping) else id(item)


def _named(node: Node, value: Callable[[Node], Node]) -> Node:
    if not isinstance(node, Sequence) or not all(isinstance(item, Scalar) for item in node.items):
        return node
    return Mapping.of(node.place, {_text(item): Entry(item.place, value(item)) for item in node.items})


def _started(item: Node) -> Node:
    condition = Scalar(item.place, "service_started", "service_started")
    return Mapping.of(item.place, {"condition": Entry(item.place, condition)})


def _said(item: Mapping, key: str) -> str:
    entry = item.entries.get(key)
    return _text(entry.value) if entry else ""


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _path(text: str) -> str:
    return posixpath.normpath(text) if text else text
