"""A YAML document as a tree in which every key and every value knows its place.

An alias is the same node once more, so a document is a graph without cycles: `weight` is what a node would be if
every alias in it were written out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from cluster.compose.tree.scalars import Plain
from cluster.compose.tree.text import Text

Directive: TypeAlias = Literal["", "reset", "override"]
Step: TypeAlias = "str | int"
Path: TypeAlias = tuple[Step, ...]


@dataclass(slots=True, eq=False)
class Place:
    """A position in a text; line and column count from 1."""

    text: Text
    line: int = 1
    column: int = 1


@dataclass(slots=True, eq=False)
class Scalar:
    """A text, number, boolean or null. `text` is as written (after escapes), `value` is what it means."""

    place: Place
    text: str
    value: Plain
    height: int = 1
    directed: ClassVar[bool] = False

    @property
    def weight(self) -> int:
        return 1 + len(self.text) // CHARACTERS_A_NODE


@dataclass(slots=True, eq=False)
class Sequence:
    """A list. `directed` says that an entry below has a directive."""

    place: Place
    items: list[Node] = field(default_factory=list)
    weight: int = 1
    height: int = 1
    directed: bool = False

    @classmethod
    def of(cls, place: Place, items: list[Node]) -> Sequence:
        """A list of nodes that are finished."""
        return cls(place, items, 1 + sum(item.weight for item in items))


@dataclass(slots=True, eq=False)
class Entry:
    """One key of a mapping and its value; `place` is the key's.

    `directive` is what the tag `!reset` or `!override` says of the same key in the files before.
    """

    place: Place
    value: Node
    directive: Directive = ""

    @property
    def shown(self) -> Place:
        """Where to point when the value is wrong: a text itself, but for a whole block its key."""
        return self.value.place if isinstance(self.value, Scalar) and self.value.value is not None else self.place


@dataclass(slots=True, eq=False)
class Mapping:
    """A map; keys are always texts. `directed` says that an entry, or one below, has a directive."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)
    weight: int = 1
    height: int = 1
    directed: bool = False

    @classmethod
    def of(cls, place: Place, entries: dict[str, Entry]) -> Mapping:
        """A map of entries that are finished."""
        weight = 1 + sum(entry.value.weight for entry in entries.values())
        directed = any(entry.directive or entry.value.directed for entry in entries.values())
        return cls(place, entries, weight, directed=directed)


Node: TypeAlias = "Scalar | Sequence | Mapping"

# Text counts toward a document's weight too: 20,000 aliases of one long text are few nodes but gigabytes.
CHARACTERS_A_NODE = 4


def dotted(path: Path) -> str:
    """A path as people write it: `services.web.ports[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def place_of(root: Node, path: Path) -> Place:
    """Where `path` is in the tree, or where its nearest ancestor is that the file does hold.

    A list that names things, such as a short `depends_on`, is also found by name.
    """
    node, place = root, root.place
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        node, place = found.value, found.shown
    return place


def place_named(root: Node, text: str) -> Place | None:
    """The same for a path as people write it, see `dotted`; None where not even its first step is there."""
    node, place = root, None
    while text:
        step, text = _step(node, text)
        found = _child(node, step)
        if found is None:
            break
        node, place = found.value, found.shown
    return place


def _step(node: Node, text: str) -> tuple[Step, str]:
    """The first step of a path, which below this node is the longest name that is there, and the rest."""
    number, closed, rest = text[1:].partition("]")
    if text.startswith("[") and closed and number.isdecimal():
        return int(number), rest.removeprefix(".")
    names = list(node.entries) if isinstance(node, Mapping) else []
    if isinstance(node, Sequence):
        names = [item.text for item in node.items if isinstance(item, Scalar)]
    fitting = [name for name in names if text == name or text.startswith((f"{name}.", f"{name}["))]
    name = max(fitting, key=len, default=text)
    return name, text[len(name) :].removeprefix(".")


def _child(node: Node, step: Step) -> Entry | None:
    if isinstance(node, Mapping):
        return node.entries.get(step) if isinstance(step, str) else None
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            if index == step or (isinstance(item, Scalar) and item.text == step):
                return Entry(item.place, item)
    return None
