"""One tree over another: what a later file says of what an earlier one said.

Maps are merged key by key, lists appended, and all else replaced. `Rule` says where the specification has it
otherwise; `cluster.compose.joining.rules` is the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cluster.compose.report import Report
from cluster.compose.tree.nodes import Entry, Node, Path, Scalar, Sequence
from cluster.compose.tree.nodes import Mapping as MappingNode

ANY = "*"

Reshape: TypeAlias = Callable[[Node], Node]
Called: TypeAlias = Callable[[Node], object]


@dataclass(frozen=True, slots=True)
class Rule:
    """How the values of one key are merged.

    `reshape` brings the forms that the key may have to one. With `replaces` the later value stands alone, with
    `replaces_where` only where that says so. `called` tells what an item of a list is known by: an item that is called
    as an earlier one takes its place. `keys` are the rules of the keys below, `*` that of any.
    """

    reshape: Reshape = lambda node: node
    replaces: bool = False
    replaces_where: Callable[[Node, Node], bool] = lambda base, over: False
    called: Called | None = None
    keys: Mapping[str, Rule] = field(default_factory=dict)

    def below(self, key: str) -> Rule:
        """The rule of a key below."""
        return self.keys.get(key) or self.keys.get(ANY) or PLAIN


PLAIN = Rule()


def is_null(node: Node) -> bool:
    """Whether the value is null, or is not there."""
    return isinstance(node, Scalar) and node.value is None


@dataclass(frozen=True, slots=True)
class Merge:
    """Merges trees; a value that cannot be merged with another is an error of `report`.

    With `keeps` the directives stay in the result, for the files that will still be merged with it.
    """

    report: Report
    keeps: bool = False

    def maps(self, base: MappingNode, over: MappingNode, rule: Rule, path: Path = ()) -> MappingNode:
        """The map `over` laid over `base`. Keys keep the order in which they were first said."""
        entries = dict(base.entries)
        for key, entry in over.entries.items():
            found = entries.get(key)
            if entry.directive == "reset" and not self.keeps:
                entries.pop(key, None)
            elif found is None or entry.directive:
                entries[key] = self._alone(entry)
            elif found.directive == "reset":
                entries[key] = Entry(entry.place, entry.value, "override")
            else:
                value = self._values(found.value, entry, rule.below(key), (*path, key))
                place = found.place if value is found.value else entry.place
                entries[key] = Entry(place, value, found.directive)
        return MappingNode.of(over.place, entries)

    def settled(self, root: MappingNode) -> MappingNode:
        """A tree with nothing before it: its directives have nothing left to do."""
        return self.maps(MappingNode(root.place), root, PLAIN)

    def _alone(self, entry: Entry) -> Entry:
        """An entry with nothing before it."""
        return entry if self.keeps else Entry(entry.place, self._settled(entry.value))

    def _settled(self, node: Node) -> Node:
        if self.keeps or not isinstance(node, MappingNode) or not node.directed:
            return node
        return self.settled(node)

    def _values(self, base: Node, entry: Entry, rule: Rule, path: Path) -> Node:
        if rule.replaces:
            return entry.value
        if is_null(entry.value):
            return base
        if is_null(base):
            return self._settled(entry.value)
        base, over = rule.reshape(base), rule.reshape(entry.value)
        if rule.replaces_where(base, over):
            return over
        if isinstance(base, MappingNode) and isinstance(over, MappingNode):
            return self.maps(base, over, rule, path)
        if isinstance(base, Sequence) and isinstance(over, Sequence):
            return self._lists(base, over, rule, path)
        if not (isinstance(base, Scalar) and isinstance(over, Scalar)):
            here = f"{base.place.text.shown}:{base.place.line}"
            message = f"cannot be merged with what {here} says: one is {_kind(base)}, the other {_kind(over)}"
            self.report.error(entry.shown, path, message, "write both in one form, or say !override", "merge")
        return over

    def _lists(self, base: Sequence, over: Sequence, rule: Rule, path: Path) -> Sequence:
        if rule.called is None:
            return Sequence.of(over.place, [*base.items, *over.items])
        items = list(base.items)
        places = {rule.called(item): index for index, item in enumerate(items)}
        for item in over.items:
            index = places.get(rule.called(item))
            if index is None:
                items.append(item)
            else:
                items[index] = self._values(items[index], Entry(item.place, item), rule.below(ANY), (*path, index))
        return Sequence.of(over.place, items)


def _kind(node: Node) -> str:
    return "a map" if isinstance(node, MappingNode) else "a list" if isinstance(node, Sequence) else "a single value"
