"""One text that is read: a compose file, or an environment file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# Where YAML begins a new line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(slots=True, eq=False)
class Text:
    """A file's text, and what its parts are relative to.

    `shown` is what messages call the file and `path` where it is, absolute: the path of what is in no file ends in
    `/.`, which none has. Relative paths in it begin at `folder`,
    and `variables` are those that it may name; `home` is what `~` stands for. Messages show no line of a `secret` one.
    """

    shown: str
    content: str = ""
    path: str = ""
    folder: str = "/"
    variables: Mapping[str, str] = field(default_factory=dict)
    home: str = "/"
    secret: bool = False
    _lines: list[str] | None = field(default=None, repr=False)

    def line(self, number: int) -> str:
        """A line by its number, from 1; empty where there is none."""
        if self._lines is None:
            self._lines = _BREAK.split(self.content)
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    @property
    def in_no_file(self) -> bool:
        """Whether the text came from elsewhere: the standard input."""
        return self.path.endswith("/.")

    def resolve(self, path: str) -> str:
        """A path that the text names, made absolute: `~` is the home folder, others begin at `folder`."""
        if path == "~" or path.startswith("~/"):
            path = posixpath.normpath(f"{self.home}/{path[1:]}")
        return path if path.startswith("/") else posixpath.normpath(posixpath.join(self.folder, path))
