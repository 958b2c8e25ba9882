"""Bytes to tree, in bounded time and memory whatever the bytes are.

Only the parser's events are used, on an explicit stack: building nodes or objects from an untrusted document is
recursive in libyaml and kills the process at a million open brackets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from cluster.compose.findings import quote
from cluster.compose.report import Report
from cluster.compose.tree.nodes import Directive, Entry, Mapping, Node, Place, Scalar, Sequence
from cluster.compose.tree.scalars import Plain, resolve
from cluster.compose.tree.text import Text

LARGEST_FILE = 4 * 1024 * 1024
DEEPEST = 100
MOST_NODES = 200_000
MOST_ALIASES = 10_000
MOST_EXPANDED = 1_000_000
LONGEST_KEY = 10_000
# libyaml compares each %TAG directive with all before it: 300,000 of them would keep it busy for minutes.
MOST_TAG_DIRECTIVES = 64

_YAML_TAG = "tag:yaml.org,2002:"
_COLLECTION_TAGS = frozenset({"map", "seq"})
_HINTS = {
    "mapping values are not allowed in this context": 'quote a value that holds ": ", and indent keys of one map alike',
    "found character that cannot start any token": "quote a value that begins with this character",
    "did not find expected alphabetic or numeric character": "quote a value that begins with * or &",
    "block sequence entries are not allowed in this context": "begin a list on its own line, or quote a value with -",
}
DIRECTIVES: dict[str, Directive] = {"!reset": "reset", "!override": "override"}


def decode(data: bytes, text: Text, report: Report) -> None:
    """Give `text` the content that `data` is; raises ComposeError where it is too large or no UTF-8."""
    start = Place(text)
    if len(data) > LARGEST_FILE:
        report.fatal(start, f"the file has {len(data)} bytes, more than {LARGEST_FILE}", code="too-large")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        report.fatal(start, "the file is UTF-16", "save it as UTF-8", code="encoding")
    try:
        text.content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text.content = data.decode("utf-8-sig", errors="replace")
        place = _place_of_byte(data, error.start, text)
        report.fatal(place, f"byte {error.start} is not UTF-8", "save the file as UTF-8", code="encoding")


def parse(text: Text, report: Report) -> list[Mapping]:
    """The documents of a text as trees, merge keys resolved; at least one. Raises ComposeError."""
    start = Place(text)
    if text.content.count("%TAG") > MOST_TAG_DIRECTIVES:
        report.fatal(start, f"more than {MOST_TAG_DIRECTIVES} times %TAG", "remove them", "too-large")
    builder = _Builder(text, report)
    try:
        builder.take_all(yaml.CSafeLoader(text.content))
    except yaml.MarkedYAMLError as error:
        _not_yaml(error, text, report)
    except yaml.reader.ReaderError as error:
        place = _place_of_byte(text.content.encode(), error.position, text)
        report.fatal(place, f"not YAML: {error.reason}", "remove the character")
    report.end_stage()
    roots = [root for root in builder.roots if not (isinstance(root, Scalar) and root.value is None)]
    if not roots:
        report.fatal(start, "the file is empty", 'it needs "services:" at least', code="empty")
    return [_map(root, report) for root in roots]


def _map(root: Node, report: Report) -> Mapping:
    if not isinstance(root, Mapping):
        report.fatal(root.place, "the top level must be a map", 'begin with "services:"', code="type")
    return root


def _not_yaml(error: yaml.MarkedYAMLError, text: Text, report: Report) -> NoReturn:
    mark = error.problem_mark or error.context_mark
    place = Place(text, mark.line + 1, mark.column + 1) if mark else Place(text)
    hint = _HINTS.get(str(error.problem), "")
    if text.line(place.line).lstrip(" ").startswith("\t"):
        hint = "indent with spaces, not with tabs"
    if error.context and error.context_mark and not hint:
        hint = f"{error.context} that begins on line {error.context_mark.line + 1}"
    report.fatal(place, f"not YAML: {error.problem or error.context}", hint)


@dataclass(slots=True)
class _Frame:
    """A collection that is still open; for a map, the key that waits for its value, and the merges to make."""

    node: Sequence | Mapping
    key_place: Place
    directive: Directive = ""
    key: str | None = None
    merging: bool = False
    merges: tuple[Mapping, ...] = ()


class _Builder:
    """Takes events and grows a tree."""

    def __init__(self, text: Text, report: Report) -> None:
        self.roots: list[Node] = []
        self._text = text
        self._report = report
        self._frames: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._open: set[int] = set()
        self._nodes = self._aliases = self._expanded = 0

    def take_all(self, parser: yaml.CSafeLoader) -> None:
        """Take every event there is: a node's as its kind wants, others only where a document ends or begins."""
        takers: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceStartEvent: self._sequence,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        while (event := parser.get_event()) is not None:
            take = takers.get(event.__class__)
            if take is not None:
                take(event)

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._anchors.clear()

    def _place(self, event: yaml.Event) -> Place:
        """Where a node begins. It is counted."""
        mark = event.start_mark
        place = Place(self._text, mark.line + 1, mark.column + 1) if mark else Place(self._text)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._report.fatal(place, f"more than {MOST_NODES} values", code="too-large")
        return place

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        place = self._place(event)
        frame = self._frames[-1] if self._frames else None
        if frame and isinstance(frame.node, Mapping) and frame.key is None and not frame.merging:
            self._key(frame, event, place)
            return
        directive = DIRECTIVES.get(event.tag, "") if event.tag else ""
        node = Scalar(place, event.value, resolve(event.value) if directive else self._value(event, place))
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node, place, directive)

    def _key(self, frame: _Frame, event: yaml.ScalarEvent, place: Place) -> None:
        if event.implicit[0] and event.value == "<<":
            if frame.merges:
                self._report.error(
                    place, (), 'the key "<<" is here a second time', "merge a list: [*a, *b]", "duplicate"
                )
            frame.merging = True
            return
        if len(event.value) > LONGEST_KEY:
            self._report.fatal(
                place, f"a key of {len(event.value)} characters, more than {LONGEST_KEY}", code="too-large"
            )
        if not isinstance(self._value(event, place), str):
            hint = f'quote it: "{event.value}"'
            self._report.error(place, (), f"the key {quote(event.value)} is not a text", hint, code="type")
        if event.anchor:
            self._anchors[event.anchor] = Scalar(place, event.value, event.value)
        frame.key, frame.key_place = event.value, place

    def _value(self, event: yaml.ScalarEvent, place: Place) -> Plain:
        if event.implicit[0]:
            return resolve(event.value)
        if event.tag is None or event.tag in ("!", f"{_YAML_TAG}str"):
            return str(event.value)
        if event.tag not in (f"{_YAML_TAG}{kind}" for kind in ("int", "float", "bool", "null")):
            self._refuse_tag(event.tag, place)
        return resolve(event.value)

    def _mapping(self, event: yaml.MappingStartEvent) -> None:
        self._start(event, Mapping(self._place(event)))

    def _sequence(self, event: yaml.SequenceStartEvent) -> None:
        self._start(event, Sequence(self._place(event)))

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, node: Sequence | Mapping) -> None:
        if len(self._frames) >= DEEPEST:
            self._report.fatal(node.place, f"nested more than {DEEPEST} deep", code="too-large")
        directive = DIRECTIVES.get(event.tag or "", "")
        if event.tag is not None and not directive and event.tag.removeprefix(_YAML_TAG) not in _COLLECTION_TAGS:
            self._refuse_tag(event.tag, node.place)
        self._refuse_as_key(node.place)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._open.add(id(node))
        self._frames.append(_Frame(node, node.place, directive))

    def _end(self, event: yaml.MappingEndEvent | yaml.SequenceEndEvent) -> None:
        frame = self._frames.pop()
        self._open.discard(id(frame.node))
        for other in frame.merges:
            _merge(frame.node, other)
        self._add(frame.node, frame.node.place, frame.directive)

    def _alias(self, event: yaml.AliasEvent) -> None:
        anchor, place = str(event.anchor), self._place(event)
        self._refuse_as_key(place)
        self._aliases += 1
        node = self._anchors.get(anchor)
        if node is None:
            self._report.fatal(place, f"*{anchor} is an alias of nothing", f"write &{anchor} before it")
        if id(node) in self._open:
            self._report.fatal(place, f"*{anchor} contains itself")
        self._expanded += node.weight
        if self._aliases > MOST_ALIASES or self._expanded > MOST_EXPANDED:
            self._report.fatal(place, "the aliases of this file stand for too much", code="too-large")
        if len(self._frames) + node.height > DEEPEST:
            self._report.fatal(place, f"nested more than {DEEPEST} deep", code="too-large")
        self._add(node, place)

    def _add(self, node: Node, place: Place, directive: Directive = "") -> None:
        """Put a finished node into the collection that is open."""
        if not self._frames:
            self.roots.append(node)
            return
        frame = self._frames[-1]
        parent = frame.node
        parent.weight += node.weight
        if node.directed or directive:
            parent.directed = True
        if node.height >= parent.height:
            parent.height = node.height + 1
        if isinstance(parent, Sequence):
            if directive != "reset":
                parent.items.append(node)
        elif frame.merging:
            frame.merging = False
            frame.merges += self._merge_sources(node, place)
        elif frame.key is not None:
            self._put(frame, parent, Entry(frame.key_place, node, directive))

    def _put(self, frame: _Frame, parent: Mapping, entry: Entry) -> None:
        key, frame.key = frame.key or "", None
        before = parent.entries.get(key)
        if before is None:
            parent.entries[key] = entry
            return
        message = f"the key {quote(key)} is here a second time; the first is on line {before.place.line}"
        self._report.error(frame.key_place, (), message, "remove one", code="duplicate")

    def _merge_sources(self, node: Node, place: Place) -> tuple[Mapping, ...]:
        candidates = node.items if isinstance(node, Sequence) else [node]
        sources = tuple(item for item in candidates if isinstance(item, Mapping))
        if len(sources) < len(candidates):
            self._report.fatal(place, '"<<" merges maps only', code="type")
        return sources

    def _refuse_as_key(self, place: Place) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame and isinstance(frame.node, Mapping) and frame.key is None and not frame.merging:
            self._report.fatal(place, "a key must be a text", 'quote a value that begins with "{"', code="type")

    def _refuse_tag(self, tag: str, place: Place) -> None:
        shown = tag.replace(_YAML_TAG, "!!")
        self._report.fatal(place, f"the tag {quote(shown)} is not supported", "remove it", code="unsupported")


def _merge(node: Node, other: Mapping) -> None:
    if isinstance(node, Mapping):
        for key, entry in other.entries.items():
            node.entries.setdefault(key, entry)
        node.directed = node.directed or other.directed


def _place_of_byte(data: bytes, offset: int, text: Text) -> Place:
    start = data.rfind(b"\n", 0, offset) + 1
    return Place(text, data.count(b"\n", 0, offset) + 1, len(data[start:offset].decode("utf-8", errors="replace")) + 1)
