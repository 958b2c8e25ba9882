"""Which files of a build's folder `.dockerignore` leaves out.

The rules are Docker's: a line is a pattern from the folder's root, `*` stays inside one name, `**` is any number of
folders, `!` takes back, the last line that matches decides, and what lies in a folder that matches is left out too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: what it matches, and whether it takes files out or back."""

    pattern: re.Pattern[str]
    exclude: bool


def rules(text: str) -> tuple[Rule, ...]:
    """The rules of a `.dockerignore`'s text."""
    found = []
    for line in text.lstrip("\ufeff").splitlines():
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        exclude = not pattern.startswith("!")
        found.append(Rule(re.compile(_regex(pattern.lstrip("!").strip()), re.DOTALL), exclude))
    return tuple(found)


def is_excluded(path: str, known: Iterable[Rule]) -> bool:
    """Whether the file at `path` (relative, with slashes) is left out."""
    names = [path, *(str(parent) for parent in PurePosixPath(path).parents[:-1])]
    excluded = False
    for rule in known:
        if rule.exclude != excluded and any(rule.pattern.fullmatch(name) for name in names):
            excluded = rule.exclude
    return excluded


def walk(root: Path, known: tuple[Rule, ...], keep: Iterable[str] = ()) -> Iterator[str]:
    """The relative paths below `root` that belong to a build, folders before what they hold, in order of name.

    `keep` names files that are never left out. A folder that is left out is not entered, unless a rule may take back
    something in it.
    """
    kept = set(keep)
    may_return = any(not rule.exclude for rule in known) or any("/" in name for name in kept)
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root).as_posix()
        prefix = "" if here == "." else f"{here}/"
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        entered = []
        for name in sorted(folders):
            excluded = is_excluded(prefix + name, known)
            if not excluded:
                yield prefix + name
            if name not in links and (may_return or not excluded):
                entered.append(name)
        folders[:] = entered
        yield from (
            prefix + name for name in sorted(files) if prefix + name in kept or not is_excluded(prefix + name, known)
        )


def _regex(pattern: str) -> str:
    """A pattern of Go's filepath.Match with `**`, as a regular expression for a whole path."""
    text = os.path.normpath(pattern).lstrip("/")
    parts = re.split(r"(\*\*/?|\*|\?|\[[^\]]*\]|\\.)", text)
    return "".join(_part(part) for part in parts)


def _part(part: str) -> str:
    match part:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
    if part.startswith("[") and len(part) > 2:
        return "[" + part[1:].replace("\\", "\\\\")
    if part.startswith("\\"):
        return re.escape(part[1:])
    return re.escape(part)
