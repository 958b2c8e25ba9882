"""The same change of several nodes: that one is refused keeps none of the others from it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cli.errors import CliError, NotAllowed, Unreachable
from cli.words import count, said

if TYPE_CHECKING:
    from cli.client import Client
    from portal.shapes import Changed


@dataclass(slots=True)
class Each:
    """What became of each: the names of those that are now as was wished, by their ids, and why others are not."""

    names: dict[str, str] = field(default_factory=dict)
    refused: list[CliError] = field(default_factory=list)

    def check(self) -> None:
        """Raise CliError where one was refused: the same command may be given again."""
        total = len(self.names) + len(self.refused)
        if self.refused and total == 1:
            raise self.refused[0]
        if self.refused:
            raise CliError(f"{len(self.refused)} of {count(total, 'node')} could not be changed")


def change_each(client: Client, references: Iterable[str], change: Callable[[str], Changed]) -> Each:
    """Change one node after the other by its id, and print what that did.

    Raises Unreachable and NotAllowed, which the others would meet, too; every other refusal is kept, and printed where
    there are others.
    """
    each, chosen = Each(), dict.fromkeys(references)
    for reference in chosen:
        try:
            node = client.node(reference)
            done = change(str(node["id"]))
        except (Unreachable, NotAllowed):
            raise
        except CliError as error:
            each.refused.append(error)
            if len(chosen) > 1:
                print(f"error: {error}", file=sys.stderr)
            continue
        each.names[str(node["id"])] = str(node["name"])
        print(said(str(node["name"]), done["changes"]))
    return each
