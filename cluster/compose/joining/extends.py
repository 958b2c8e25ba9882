"""`extends`: a service that begins as another, of the same file or of another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cluster.compose.findings import quote
from cluster.compose.joining.merge import Merge
from cluster.compose.joining.rules import SERVICE
from cluster.compose.reading.files import local_path
from cluster.compose.reading.keys import Table, read
from cluster.compose.reading.value import Value
from cluster.compose.report import Refused, Report
from cluster.compose.tree.events import MOST_EXPANDED
from cluster.compose.tree.nodes import Entry, Mapping

# Gives the whole file at a path as one document, its variables expanded; raises `Refused` at the value that names it.
Open: TypeAlias = Callable[[str, Value], Mapping]


@dataclass(frozen=True, slots=True)
class _Link:
    """One service of a chain, and the services that it is one of."""

    services: Mapping
    name: str

    @property
    def key(self) -> tuple[int, str]:
        return id(self.services), self.name

    @property
    def entry(self) -> Entry:
        return self.services.entries[self.name]

    @property
    def extends(self) -> Entry | None:
        node = self.entry.value
        return node.entries.get("extends") if isinstance(node, Mapping) else None

    @property
    def own(self) -> Mapping:
        """The service without what it extends."""
        node = self.entry.value
        entries = node.entries if isinstance(node, Mapping) else {}
        return Mapping.of(node.place, {key: entry for key, entry in entries.items() if key != "extends"})

    def __str__(self) -> str:
        return f"{self.name} in {self.services.place.text.shown}"


@dataclass(slots=True)
class Extends:
    """Resolves `extends` in the documents of a stack."""

    report: Report
    open: Open
    _weight: int = 0
    _done: dict[tuple[int, str], Mapping] = field(default_factory=dict)
    _kept: list[Mapping] = field(default_factory=list)  # an id is of one object only while that lives

    def document(self, root: Mapping) -> Mapping:
        """The document with every service whole."""
        found = root.entries.get("services")
        if found is None or not isinstance(found.value, Mapping):
            return root
        self._kept.append(found.value)
        whole = {name: self._entry(_Link(found.value, name)) for name in found.value.entries}
        services = Entry(found.place, Mapping.of(found.value.place, whole), found.directive)
        return Mapping.of(root.place, {**root.entries, "services": services})

    def _entry(self, link: _Link) -> Entry:
        if link.extends is None:
            return link.entry
        try:
            return Entry(link.entry.place, self._whole(link), link.entry.directive)
        except Refused as refused:
            self.report.refuse(refused.finding)
            return link.entry

    def _whole(self, link: _Link) -> Mapping:
        """The service with all that it gets from others. A chain may be long: it is walked, not descended."""
        chain: dict[tuple[int, str], _Link] = {}
        base: Mapping | None = None
        while base is None and link.extends is not None:
            if link.key in chain:
                raise _circle([*list(chain.values())[list(chain).index(link.key) :], link])
            chain[link.key] = link
            link = self._target(link, link.extends)
            base = self._done.get(link.key)
        result = link.own if base is None else base
        merge = Merge(self.report, keeps=True)
        for link in reversed(chain.values()):
            result = self._done[link.key] = merge.maps(result, link.own, SERVICE, ("services", link.name))
            self._weight += result.weight
            if self._weight > MOST_EXPANDED:
                self.report.fatal(link.entry.place, "the extends of this stack stand for too much", code="too-large")
        return result

    def _target(self, link: _Link, extends: Entry) -> _Link:
        value = Value(extends.value, ("services", link.name, "extends"), self.report, extends.shown)
        if not value.is_map:
            return _named(value, link.services, value.string())
        keys = read(value, EXTENDS, {"service": "name the service: service: NAME"})
        if "file" not in keys:
            return _named(value, link.services, keys["service"])
        root = self.open(keys["file"], value)
        found = root.entries.get("services")
        if found is None or not isinstance(found.value, Mapping):
            raise value.refuse(f"{root.place.text.shown} has no services", code="undefined")
        self._kept.append(found.value)
        return _named(value, found.value, keys["service"])


def _named(value: Value, services: Mapping, name: str) -> _Link:
    if name not in services.entries:
        known = ", ".join(list(services.entries)[:10])
        message = f"there is no service {quote(name)} in {services.place.text.shown}"
        raise value.refuse(message, f"the services are {known}", "undefined")
    return _Link(services, name)


def _circle(chain: Sequence[_Link]) -> Refused:
    first = chain[0]
    shown = [str(link) for link in chain]
    trail = " -> ".join(shown if len(shown) <= 12 else [*shown[:10], "…", shown[-1]])
    place = first.extends.place if first.extends else first.entry.place
    value = Value(first.entry.value, ("services", first.name, "extends"), Report(), place)
    return value.refuse(f"services extend each other: {trail}", "remove one of these extends", "cycle")


EXTENDS: Table = {"service": Value.string, "file": local_path}
