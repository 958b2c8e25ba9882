"""The files that compose files name, within bounds of number and size."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from cluster.compose.findings import ComposeError, quote
from cluster.compose.reading.value import Value
from cluster.compose.report import Report
from cluster.compose.tree.text import Text
from cluster.compose.variables.dotenv import NOTHING, parse_env_file

MOST_FILES = 1_000
MOST_BYTES = 16 * 1024 * 1024

_OPTIONAL = "create it, or make it optional: {path: FILE, required: false}"
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|[^ ]*\.git(?:#|$)")


@dataclass(slots=True)
class Files:
    """Reads each file once, by `read`, which gives the bytes of an absolute path or raises OSError.

    A method takes the value that names the file, and raises `Refused` there.
    """

    read: Callable[[str], bytes]
    size: int = 0
    _kept: dict[str, bytes] = field(default_factory=dict)

    def data(self, path: str, named: Value, hint: str = "") -> bytes:
        """What a file holds that must be there; `hint` says what to do where it is not."""
        data = self.optional(path, named)
        if data is None:
            raise named.refuse(f"the file {quote(seen_from(named.place.text, path))} does not exist", hint, "file")
        return data

    def optional(self, path: str, named: Value) -> bytes | None:
        """What a file holds; None where it does not exist."""
        if path not in self._kept:
            try:
                self._kept[path] = self._read(path, named)
            except FileNotFoundError:
                return None
        return self._kept[path]

    def variables(
        self,
        path: str,
        named: Value,
        environment: Mapping[str, str],
        *,
        before: Mapping[str, str] = NOTHING,
        required: bool = True,
        raw: bool = False,
    ) -> dict[str, str]:
        """The variables of an environment file; what there is to say of it goes to the report of `named`, once.

        It may name those of the `environment`, and where that lacks one its own and those of the files `before` it.
        """
        data = self.data(path, named, _OPTIONAL) if required else self.optional(path, named)
        shown = seen_from(named.place.text, path)
        found: dict[str, str] = {}
        told = Report()
        with suppress(ComposeError):  # whose findings were told
            found = parse_env_file(shown, data or b"", environment, told, before=before, raw=raw)
        named.report.take(told)
        return found

    def _read(self, path: str, named: Value) -> bytes:
        if len(self._kept) >= MOST_FILES:
            raise named.refuse(f"more than {MOST_FILES} files are read for one stack", code="too-large")
        try:
            data = self.read(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            shown = quote(seen_from(named.place.text, path))
            raise named.refuse(f"the file {shown} cannot be read: {reason}", code="file") from error
        self.size += len(data)
        if self.size > MOST_BYTES:
            raise named.refuse(f"the files of one stack hold more than {MOST_BYTES} bytes", code="too-large")
        return data


def local_path(named: Value) -> str:
    """The path of a file that a compose file names, absolute; what would need a network is `Refused`."""
    text = named.string()
    if _REMOTE.match(text):
        raise named.refuse(f"{quote(text)} is not on this machine", "fetch it, and name the file", "remote")
    if not text:
        raise named.refuse("names no file", code="file")
    return named.place.text.resolve(text)


def seen_from(text: Text, path: str) -> str:
    """What messages call a file that a text names: its path from where that text's own begins."""
    shown = posixpath.join(posixpath.dirname(text.shown), posixpath.relpath(path, posixpath.dirname(text.path) or "/"))
    return posixpath.normpath(shown)
