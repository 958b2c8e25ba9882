"""Compose files as a person wrote them, with the variables that they name: kept beside what they came to.

A file may hold a password, and a variable most likely does: outside of the door that takes them and the one that shows
them to whoever may see them, sources are a sealed text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_FILES = 200
LARGEST = 256 * 1024
LONGEST_NAME = 1_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: its name as seen from the folder of the first, and its text, verbatim."""

    name: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sources:
    """The files in the order in which they were read, and the values of the variables that they name.

    A variable without a value is not among them. Where included files have variables of their own, the first counts.
    `roots` are the names of those that were asked for, which are laid one over another; the others are those that they
    include or extend. `profiles` are those that were switched on.
    """

    files: tuple[SourceFile, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    roots: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all that is said."""
        texts = [one.name + one.text for one in self.files]
        texts += [*self.variables, *self.variables.values(), *self.roots, *self.profiles]
        return sum(len(text.encode()) for text in texts)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a deploy came from: the name of whose token it was, empty for the manager's own root; sealed sources.

    `of` is the number of the revision that it goes back to; 0 for one that goes on.
    """

    by: str = ""
    sources: str = field(default="", repr=False)
    of: int = 0


UNTOLD = Origin()


def objection(sources: Sources) -> str:
    """Why these cannot be kept, in words; empty where they can."""
    if sources.size > LARGEST:
        return f"the compose files are larger than {LARGEST >> 10} KiB in all"
    if len(sources.files) > MOST_FILES:
        return f"there are more than {MOST_FILES} compose files"
    names = [one.name for one in sources.files]
    wrong = [name for name in names if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name[0] == "/"]
    if wrong:
        return f"a compose file cannot be called {wrong[0][:40]!r}: names are relative to the first file's folder"
    if len(set(names)) < len(names):
        return "two compose files have one name"
    if lost := set(sources.roots) - set(names):
        return f"{min(lost)[:40]!r} is laid over the others, and none of the compose files"
    return ""
