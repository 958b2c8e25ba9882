"""What a check finds wrong with a spec, before it is known where in a file that is."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.compose.findings import Finding
from cluster.compose.tree.nodes import Path, dotted


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` leads to the part of the spec: `("services", "web", "ports", 0)`.

    `other` is the part that it contradicts, where that is another. A problem of `policy` is none of the file, which is
    good: only it cannot be deployed here as it is.
    """

    path: Path
    message: str
    hint: str = ""
    code: str = "invalid"
    policy: bool = False
    other: Path = ()

    def finding(self) -> Finding:
        """The problem of a spec that came from no file."""
        return Finding("", 0, 0, dotted(self.path), self.message, self.hint, code=self.code)
