"""The tree of supervision as a drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cli.words import age, count

if TYPE_CHECKING:
    from portal.shapes import ActorRow


def drawn(actors: Iterable[ActorRow], now: float) -> Iterator[str]:
    """A line for each actor, below the one whose address its own begins with, in the order given."""
    rows = list(actors)
    known = {str(row["address"]) for row in rows}
    below: dict[str, list[ActorRow]] = defaultdict(list)
    for row in rows:
        below[_parent(str(row["address"]), known)].append(row)
    for root in below[""]:
        yield _words(root, str(root["address"]), now)
        yield from _branches(str(root["address"]), below, "", now)


def _branches(parent: str, below: dict[str, list[ActorRow]], indent: str, now: float) -> Iterator[str]:
    children = below[parent]
    for place, child in enumerate(children):
        last = place == len(children) - 1
        address = str(child["address"])
        yield f"{indent}{'└─ ' if last else '├─ '}{_words(child, address.removeprefix(parent + '/'), now)}"
        yield from _branches(address, below, indent + ("   " if last else "│  "), now)


def _parent(address: str, known: set[str]) -> str:
    """The nearest address above that is an actor's; empty for a root."""
    while "/" in address:
        address = address.rpartition("/")[0]
        if address in known:
            return address
    return ""


def _words(row: ActorRow, name: str, now: float) -> str:
    said = [] if row["state"] == "running" else [str(row["state"])]
    if row["mailbox"]:
        said.append(f"{count(row['mailbox'], 'message')} waiting")
    if row["restarts"]:
        said.append(count(row["restarts"], "restart"))
    if row["last_failure"]:
        said.append(f"last failure {age(row['last_failure_at'], now)} ago: {row['last_failure']}")
    return f"{name}  ({', '.join(said)})" if said else name
