"""What the readers of keys need besides the value: where the file is, who asks, and how much is left to spend."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cluster.compose.tree import Path, Place
from cluster.compose.value import Value

# A short file can ask for very much (a range of ports, one large environment file for each service).
MOST_PORTS = 20_000
MOST_ENVIRONMENT = 16 * 1024 * 1024


@dataclass(slots=True)
class Budget:
    """What all services of a stack may use together."""

    what: str
    left: int

    def spend(self, amount: int, value: Value) -> None:
        """Take from the budget; raises `Refused` at `value` once it is used up."""
        self.left -= amount
        if self.left < 0:
            raise value.refuse(f"the stack has too {self.what}", code="too-large")


@dataclass(frozen=True, slots=True)
class Scope:
    """`folder` holds the file; `read` gives the bytes of a path, on the machine where the file is.

    `origins` says where in the file a part of the spec comes from, where its path is another in the spec.
    """

    stack: str
    folder: str
    environment: Mapping[str, str]
    read: Callable[[str], bytes]
    files: dict[str, bytes] = field(default_factory=dict)
    origins: dict[Path, Place] = field(default_factory=dict)
    ports: Budget = field(default_factory=lambda: Budget("many ports", MOST_PORTS))
    variables: Budget = field(default_factory=lambda: Budget("large an environment", MOST_ENVIRONMENT))

    def path(self, text: str) -> str:
        """A path of the file, made absolute: `~` is the home folder, others are relative to the file's folder."""
        if text == "~" or text.startswith("~/"):
            text = self.environment.get("HOME", "~") + text[1:]
        return posixpath.normpath(posixpath.join(self.folder, text))
