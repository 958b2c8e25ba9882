"""Puts away what nothing needs on all machines: shown to a person first, and no more than that afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

from cli.asking import confirm
from cli.errors import raise_for
from cli.output import Output, show_list, show_value
from cli.table import Row
from cli.words import count, size

if TYPE_CHECKING:
    from cli.client import Client
    from cli.session import Params
    from portal.api.pruning import Gone, PruneLine

MOST_NAMED = 6

Where = Literal["nodes", "removed"]
"""The field with the machines that a volume goes, or went, from."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """What may go beside containers that ended and images that only the past needed."""

    all_images: bool = False
    volumes: tuple[str, ...] = ()
    all_volumes: bool = False

    def asking(self) -> Params:
        """The parameters of a question what would go."""
        flags = {"all_images": self.all_images, "all_volumes": self.all_volumes}
        return {"volumes": ",".join(self.volumes), **{name: 1 for name, wanted in flags.items() if wanted}}


def prune(client: Client, wanted: Pruning, output: Output, *, dry_run: bool, yes: bool) -> None:
    """List what would go, ask, and remove that. Raises CliError where a machine or a volume is left out of it.

    On the standard output is what went, or with `dry_run` what would.
    """
    found = list(client.prunable(wanted.asking()))
    doomed = _doomed(found)
    if dry_run or not doomed:
        _say(found, wanted, output)
        _check(found)
        return
    _show(_listed(found, MOST_NAMED), wanted, sys.stderr)
    for line in _left(found):
        print(f"left out: {line}", file=sys.stderr)
    confirm("Remove it?", yes=yes)
    done = list(client.prune({"all_images": wanted.all_images, **doomed}))
    if output.is_table:
        print("".join(f"{line}\n" for line in _told(done)), end="")
    else:
        _print(done, output, "removed")
    _check([*done, *(row for row in found if row.get("why"))])  # what was refused was not asked for again


def _say(found: Sequence[PruneLine], wanted: Pruning, output: Output) -> None:
    """What would go, by all its names."""
    if not output.is_table:
        _print(found, output, "nodes")
    elif lines := list(_listed(found, None)):
        _show(lines, wanted, sys.stdout)
    else:
        print("nothing is to be removed", file=sys.stderr)


def _print(rows: Iterable[PruneLine], output: Output, where: Where) -> None:
    """For programs."""
    if output.is_document:
        show_value(_ordered(rows), output)
    else:
        show_list(list(_things(rows, where)), (), output, key="name")


def _things(rows: Iterable[PruneLine], where: Where) -> Iterator[Row]:
    """Each container, image and volume by itself."""
    for row in _ordered(rows):
        if "volume" not in row:
            for kind, gone in (("container", row["containers"]), ("image", row["images"])):
                yield from ({"kind": kind, **one, "nodes": [row["node"]]} for one in gone)
        elif not row["why"] and row[where]:
            name = row["volume"]
            yield {"kind": "volume", "id": name, "name": name, "size": row["size"], "nodes": row[where]}


def _doomed(found: Iterable[PruneLine]) -> Mapping[str, object]:
    """What was seen, for a manager to keep to; empty where there is nothing."""
    rows = list(found)
    only = [one["id"] for row in rows if "node" in row for one in (*row["containers"], *row["images"])]
    volumes = [row["volume"] for row in rows if "volume" in row and not row["why"]]
    return {"only": only, "volumes": volumes} if only or volumes else {}


def _listed(rows: Iterable[PruneLine], most: int | None) -> Iterator[str]:
    """What is to go, of each kind on a machine at `most` so many by name."""
    for row in _ordered(rows):
        if "volume" in row:
            if not row["why"]:
                known = f" ({size(row['size'])})" if row["size"] is not None else ""
                yield f"volume {row['volume']} on {', '.join(row['nodes'])}{known}, with all data in it"
            continue
        for noun, about, kept in (("ended container", "", row["containers"]), ("image", "at least ", row["images"])):
            if kept:
                total = size(sum(one["size"] for one in kept))
                yield f"{row['node']}: {count(len(kept), noun)} ({about}{total}): {_names(kept, most)}"


def _told(rows: Iterable[PruneLine]) -> Iterator[str]:
    for row in _ordered(rows):
        if "volume" in row:
            if row["removed"]:
                yield f"volume {row['volume']}: removed from {', '.join(row['removed'])}"
        elif row["containers"] or row["images"]:
            counted = ((len(row["containers"]), "container"), (len(row["images"]), "image"))
            gone = " and ".join(count(number, noun) for number, noun in counted if number)
            yield f"{row['node']}: removed {gone}: at least {size(row['size'])} are free again"


def _left(rows: Iterable[PruneLine]) -> Iterator[str]:
    """What is left out, or left over, and why."""
    for row in _ordered(rows):
        if "volume" in row:
            if row["why"]:
                yield f"{row['volume']} stays: {row['why']}"
            yield from (f"{row['volume']} stays on {one['node']}, which {one['why']}" for one in row["kept"])
        else:
            if row["unknown"]:
                yield f"{row['node']} {row['unknown']}"
            yield from (f"{one['name']} on {row['node']} {one['why']}" for one in row["kept"])


def _ordered(rows: Iterable[PruneLine]) -> list[PruneLine]:
    """Machines by name, and then volumes as they came."""
    return sorted(rows, key=lambda row: ("volume" in row, str(row.get("node", ""))))


def _names(kept: Sequence[Gone], most: int | None) -> str:
    names = [str(one["name"]) for one in kept[:most]]
    more = len(kept) - len(names)
    return ", ".join(names) + (f" and {more} more (--dry-run names all)" if more else "")


def _show(lines: Iterable[str], wanted: Pruning, to: TextIO) -> None:
    if wanted.all_images:
        print(
            "Among this is every image that no container is of and no stack may go back to, whoever put it there.",
            file=to,
        )
    print("This is removed for good:", *(f"  {line}" for line in lines), sep="\n", file=to)


def _check(rows: Iterable[PruneLine]) -> None:
    raise_for(list(_left(rows)), "not all of it could be looked at, or removed: see above")
