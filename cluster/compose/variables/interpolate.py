"""`${VARIABLE}` in the values of a compose file, replaced. Keys are not interpolated."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster.compose.report import Report
from cluster.compose.tree.nodes import Entry, Mapping, Node, Path, Scalar, Sequence
from cluster.compose.variables.template import BadTemplate, expand

MOST_CHARACTERS = 8 * 1024 * 1024


@dataclass(slots=True)
class Interpolation:
    """Expands one tree after another, each with the variables of its text. What aliases share is expanded once.

    Errors go to the report. A variable that is missing is warned of once, in whatever files it is missed; `used` are
    those that were named and not missing, each with the first value that it had.
    """

    report: Report
    missed: set[str] = field(default_factory=set)
    used: dict[str, str] = field(default_factory=dict)
    characters: int = 0
    _done: dict[int, Node] = field(default_factory=dict)

    def tree(self, root: Mapping) -> Mapping:
        """The tree with every value expanded."""
        if "$" not in root.place.text.content:
            return root
        self._done.clear()
        return Mapping(root.place, self._entries(root, ()), root.weight, root.height, root.directed)

    def _node(self, node: Node, path: Path) -> Node:
        found = self._done.get(id(node))
        if found is None:
            found = self._done[id(node)] = self._expanded(node, path)
        return found

    def _expanded(self, node: Node, path: Path) -> Node:
        if isinstance(node, Scalar):
            return self._scalar(node, path) if "$" in node.text else node
        if isinstance(node, Sequence):
            items = [self._node(item, (*path, index)) for index, item in enumerate(node.items)]
            return Sequence(node.place, items, node.weight, node.height, node.directed)
        return Mapping(node.place, self._entries(node, path), node.weight, node.height, node.directed)

    def _entries(self, node: Mapping, path: Path) -> dict[str, Entry]:
        return {
            key: Entry(entry.place, self._node(entry.value, (*path, key)), entry.directive)
            for key, entry in node.entries.items()
        }

    def _scalar(self, node: Scalar, path: Path) -> Scalar:
        try:
            variables = node.place.text.variables
            text = expand(node.text, variables, lambda name: self._unset(name, node, path), self.used.setdefault)
        except BadTemplate as error:
            self.report.error(node.place, path, error.message, error.hint, error.code)
            return node
        self.characters += len(text)
        if self.characters > MOST_CHARACTERS:
            self.report.fatal(node.place, "the variables of this file stand for too much", code="too-large", path=path)
        return Scalar(node.place, text, text)

    def _unset(self, name: str, node: Scalar, path: Path) -> None:
        if name not in self.missed:
            self.missed.add(name)
            hint = f"set {name}, or give a default: ${{{name}:-value}}"
            message = f"the variable {name} is not set: an empty text stands for it"
            self.report.warn(node.place, path, message, hint, "unset-variable")
