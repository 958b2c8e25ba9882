"""Puts away what nothing needs on all machines: shown to a person first, and no more than that afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from cli.asking import confirm
from cli.errors import CliError
from cli.table import Row
from cli.words import count, size

if TYPE_CHECKING:
    from cli.client import Client
    from cli.session import Params

MOST_NAMED = 6


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


def prune(client: Client, wanted: Pruning, *, dry_run: bool, yes: bool) -> None:
    """List what may go, ask, and remove that. Raises CliError where a machine or a volume is left out of it."""
    found = list(client.prunable(wanted.asking()))
    doomed, lines = _doomed(found), list(_listed(found))
    if lines:
        _show(lines, wanted, sys.stdout if dry_run else sys.stderr)
    if dry_run or not doomed:
        if not lines:
            print("nothing is to be removed", file=sys.stderr)
        _check(found)
        return
    for line in _left(found):
        print(f"left out: {line}", file=sys.stderr)
    confirm("Remove it?", yes=yes)
    done = list(client.prune({"all_images": wanted.all_images, **doomed}))
    for line in _told(done):
        print(line)
    _check([*done, *(row for row in found if row.get("why"))])  # what was refused was not asked for again


def _doomed(found: Iterable[Row]) -> Mapping[str, object]:
    """What was seen, for a manager to keep to; empty where there is nothing."""
    rows = list(found)
    only = [one["id"] for row in rows if "node" in row for one in (*row["containers"], *row["images"])]
    volumes = [row["volume"] for row in rows if "volume" in row and not row["why"]]
    return {"only": only, "volumes": volumes} if only or volumes else {}


def _listed(rows: Iterable[Row]) -> Iterator[str]:
    for row in _ordered(rows):
        if "volume" in row:
            if not row["why"]:
                known = f" ({size(row['size'])})" if row["size"] is not None else ""
                yield f"volume {row['volume']} on {', '.join(row['nodes'])}{known}, with all data in it"
            continue
        for noun, about, kept in (("ended container", "", row["containers"]), ("image", "at least ", row["images"])):
            if kept:
                total = size(sum(one["size"] for one in kept))
                yield f"{row['node']}: {count(len(kept), noun)} ({about}{total}): {_names(kept)}"


def _told(rows: Iterable[Row]) -> Iterator[str]:
    for row in _ordered(rows):
        if "volume" in row:
            if row["removed"]:
                yield f"volume {row['volume']}: removed from {', '.join(row['removed'])}"
        elif row["containers"] or row["images"]:
            counted = ((len(row["containers"]), "container"), (len(row["images"]), "image"))
            gone = " and ".join(count(number, noun) for number, noun in counted if number)
            yield f"{row['node']}: removed {gone}: at least {size(row['size'])} are free again"


def _left(rows: Iterable[Row]) -> Iterator[str]:
    """What is left out, or left over, and why."""
    for row in _ordered(rows):
        if row.get("unknown"):
            yield f"{row['node']} {row['unknown']}"
        if row.get("why"):
            yield f"{row['volume']} stays: {row['why']}"
        for one in row["kept"]:
            where = (
                f"{row['volume']} stays on {one['node']}, which"
                if "volume" in row
                else f"{one['name']} on {row['node']}"
            )
            yield f"{where} {one['why']}"


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """Machines by name, and then volumes as they came."""
    return sorted(rows, key=lambda row: ("volume" in row, str(row.get("node", ""))))


def _names(kept: Sequence[Row]) -> str:
    names = [str(one["name"]) for one in kept[:MOST_NAMED]]
    more = len(kept) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _show(lines: Iterable[str], wanted: Pruning, to: TextIO) -> None:
    if wanted.all_images:
        print(
            "Among this is every image that no container is of and no stack may go back to, whoever put it there.",
            file=to,
        )
    print("This is removed for good:", *(f"  {line}" for line in lines), sep="\n", file=to)


def _check(rows: Iterable[Row]) -> None:
    left = list(_left(rows))
    if len(left) == 1:
        raise CliError(left[0])
    if left:
        print(*(f"error: {line}" for line in left), sep="\n", file=sys.stderr)
        raise CliError("not all of it could be looked at, or removed: see above")
