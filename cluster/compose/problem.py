"""What a check finds wrong with a spec, before it is known where in a file that is."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.compose.findings import Finding
from cluster.compose.tree import Path, dotted


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` leads to the part of the spec: `("services", "web", "ports", 0)`."""

    path: Path
    message: str
    hint: str = ""
    code: str = "invalid"

    def finding(self) -> Finding:
        """The problem of a spec that came from no file."""
        return Finding("", 0, 0, dotted(self.path), self.message, self.hint, code=self.code)
