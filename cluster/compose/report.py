"""The findings of one file while it is being read.

Refused    one value is wrong; caught where its siblings can still be checked, so that one run tells all
"""

from __future__ import annotations

from typing import NoReturn

from cluster.compose.findings import MOST_FINDINGS, ComposeError, Finding, Severity, excerpt_of
from cluster.compose.tree import Path, Place, dotted

START = Place(1, 1)


class Refused(Exception):
    """One value cannot be used; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.summary())


class Report:
    """Collects what is wrong with one file, and quotes its lines."""

    def __init__(self, file: str, text: str = "") -> None:
        """`file` is what messages call the file, `text` what is in it."""
        self.file = file
        self.text = text
        self.errors: list[Finding] = []
        self.warnings: list[Finding] = []
        self._lines: list[str] | None = None

    def error(self, place: Place, path: Path, message: str, hint: str = "", code: str = "invalid") -> None:
        """Note an error and go on."""
        self.refuse(self.finding(place, path, message, hint, code))

    def warn(self, place: Place, path: Path, message: str, hint: str = "", code: str = "") -> None:
        """Note what a person should know though the file is usable."""
        self.warnings.append(self.finding(place, path, message, hint, code, "warning"))

    def fatal(self, place: Place, message: str, hint: str = "", code: str = "yaml", path: Path = ()) -> NoReturn:
        """Stop here: what follows could not be understood."""
        self.error(place, path, message, hint, code)
        raise ComposeError(self.errors)

    def refuse(self, finding: Finding) -> None:
        """Note an error that was found elsewhere; past the most that anyone reads, stop."""
        self.errors.append(finding)
        if len(self.errors) >= MOST_FINDINGS:
            raise ComposeError(self.errors)

    def end_stage(self) -> None:
        """Stop if anything so far is an error."""
        if self.errors:
            raise ComposeError(self.errors)

    def finding(
        self, place: Place, path: Path, message: str, hint: str = "", code: str = "", severity: Severity = "error"
    ) -> Finding:
        """A finding at a place of this file, with its source line."""
        excerpt, caret = excerpt_of(self.line(place.line), place.column)
        return Finding(
            self.file, place.line, place.column, dotted(path), message, hint, excerpt, caret, severity, code or severity
        )

    def line(self, number: int) -> str:
        """A source line by its number, from 1; empty where there is none."""
        if self._lines is None:
            self._lines = self.text.splitlines()
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""
