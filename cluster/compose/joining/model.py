"""All files of a stack, joined to one tree.

    documents -> variables -> extends -> include -> one over another

Each file is expanded with its own variables before it is merged, and every value still knows where it was written.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from functools import partial

from cluster.compose.joining.extends import Extends
from cluster.compose.joining.include import included, with_resources
from cluster.compose.joining.merge import Merge
from cluster.compose.joining.rules import FILE
from cluster.compose.reading.files import MOST_BYTES, Files, seen_from
from cluster.compose.reading.value import Value
from cluster.compose.report import Report
from cluster.compose.tree.events import decode, parse
from cluster.compose.tree.nodes import Mapping
from cluster.compose.tree.text import Text
from cluster.compose.variables.interpolate import Interpolation
from cluster.sources import SourceFile, Sources

USUAL_NAME = "compose.yaml"
MOST_NESTED = 20
MOST_INCLUDED = 100


class Model:
    """Joins the files of one stack."""

    def __init__(self, files: Files, report: Report) -> None:
        self._files = files
        self._report = report
        self._merge = Merge(report)
        self._interpolation = Interpolation(report)
        self._extends = Extends(report, self._open)
        self._opened: dict[tuple[str, int], Mapping] = {}
        self._texts: dict[str, Text] = {}
        self._included = self._size = 0

    def sources(self, folder: str, roots: Iterable[str], profiles: Iterable[str]) -> Sources:
        """All compose files that were joined, as they are seen from a folder, and the variables that they name.

        `roots` are the paths of those that were joined to begin with, `profiles` what is switched on. What is in no
        file has the usual name, if no file has.
        """
        names = {path: posixpath.relpath(path, folder) for path in self._texts}
        for path, text in self._texts.items():
            if text.in_no_file:
                names[path] = text.shown if USUAL_NAME in names.values() else USUAL_NAME
        files = (SourceFile(names[path], text.content) for path, text in self._texts.items())
        laid = tuple(names[path] for path in roots if path in names)
        return Sources(tuple(files), self._interpolation.used, laid, tuple(profiles))

    def joined(self, roots: Iterable[Mapping], trail: tuple[str, ...] = ()) -> Mapping:
        """The documents merged in their order; there is at least one. `trail` are the files that include them.

        Raises ComposeError.
        """
        result: Mapping | None = None
        for root in roots:
            self._texts[root.place.text.path] = root.place.text
            whole = self._extends.document(self._interpolation.tree(root))
            self._report.end_stage()
            whole = self._with_included(whole, (*trail, root.place.text.path))
            result = self._merge.maps(result or Mapping(root.place), whole, FILE)
            self._report.end_stage()
        if result is None:
            raise ValueError("no documents to join")
        return result

    def _with_included(self, root: Mapping, trail: tuple[str, ...]) -> Mapping:
        """The document with all that it includes."""
        entry = root.entries.get("include")
        if entry is None:
            return root
        whole = Mapping.of(root.place, {key: one for key, one in root.entries.items() if key != "include"})
        value = Value(entry.value, ("include",), self._report, entry.shown)
        for item in value.attempt(Value.items) or ():
            whole = item.attempt(partial(self._and_included, whole, trail)) or whole
        return whole

    def _and_included(self, whole: Mapping, trail: tuple[str, ...], value: Value) -> Mapping:
        return with_resources(whole, self._include(value, trail), value)

    def _include(self, value: Value, trail: tuple[str, ...]) -> Mapping:
        texts = included(value, self._files)
        self._included += len(texts)
        if self._included > MOST_INCLUDED or len(trail) > MOST_NESTED:
            raise value.refuse(f"more than {MOST_INCLUDED} files are included, or {MOST_NESTED} deep", code="too-large")
        for text in texts:
            if text.path in trail:
                shown = " -> ".join(posixpath.basename(path) for path in (*trail[trail.index(text.path) :], text.path))
                raise value.refuse(f"files include each other: {shown}", "remove one of these includes", "cycle")
        roots = [root for text in texts for root in self._read(text, value)]
        return self.joined(roots, trail)

    def _open(self, path: str, value: Value) -> Mapping:
        """The file that `extends` names, its variables expanded; what it extends itself is followed from there."""
        outer = value.place.text
        key = (path, id(outer.variables))
        if key not in self._opened:
            text = Text(seen_from(outer, path), "", path, posixpath.dirname(path), outer.variables, outer.home)
            documents = self._read(text, value)
            root = Mapping(documents[0].place)
            for document in documents:
                root = self._merge.maps(root, self._interpolation.tree(document), FILE)
            self._opened[key] = root
        return self._opened[key]

    def _read(self, text: Text, value: Value) -> list[Mapping]:
        data = self._files.data(text.path, value)
        self._size += len(data)
        if self._size > MOST_BYTES:
            raise value.refuse(f"the files of one stack hold more than {MOST_BYTES} bytes", code="too-large")
        decode(data, text, self._report)
        self._texts[text.path] = text
        return parse(text, self._report)
