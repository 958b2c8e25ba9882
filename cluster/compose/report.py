"""The findings of a stack's files while they are being read.

Refused    one value is wrong; caught where its siblings can still be checked, so that one run tells all
"""

from __future__ import annotations

from typing import NoReturn

from cluster.compose.findings import MOST_FINDINGS, ComposeError, Finding, Severity, excerpt_of
from cluster.compose.tree.nodes import Path, Place, dotted

# A file may hold a warning for each of its keys: past this many nobody reads on.
MOST_WARNINGS = 200


class Refused(Exception):
    """One value cannot be used; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.summary())


class Report:
    """Collects what is wrong with a stack's files.

    `errors` make the files unusable. `refusals` are what no deploy can do yet, of files that are good. `warnings` are
    what a person should know all the same.
    """

    def __init__(self) -> None:
        self.errors: list[Finding] = []
        self.refusals: list[Finding] = []
        self.warnings: list[Finding] = []

    def error(self, place: Place, path: Path, message: str, hint: str = "", code: str = "invalid") -> None:
        """Note an error and go on."""
        self.refuse(finding_at(place, path, message, hint, code))

    def warn(self, place: Place, path: Path, message: str, hint: str = "", code: str = "") -> None:
        """Note what a person should know though the file is usable."""
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(finding_at(place, path, message, hint, code, "warning"))

    def withhold(self, place: Place, path: Path, message: str, hint: str = "", code: str = "unsupported") -> None:
        """Note what keeps a good file from being deployed."""
        if len(self.refusals) < MOST_FINDINGS:
            self.refusals.append(finding_at(place, path, message, hint, code))

    def fatal(self, place: Place, message: str, hint: str = "", code: str = "yaml", path: Path = ()) -> NoReturn:
        """Stop here: what follows could not be understood."""
        self.error(place, path, message, hint, code)
        raise self.failure()

    def refuse(self, finding: Finding) -> None:
        """Note an error that was found elsewhere; past the most that anyone reads, stop."""
        self.errors.append(finding)
        if len(self.errors) >= MOST_FINDINGS:
            raise self.failure()

    def take(self, other: Report) -> None:
        """Note the errors and warnings of another report, less those that are here already."""
        for finding in other.errors:
            if finding not in self.errors:
                self.refuse(finding)
        for finding in other.warnings:
            if finding not in self.warnings and len(self.warnings) < MOST_WARNINGS:
                self.warnings.append(finding)

    def end_stage(self) -> None:
        """Stop if anything so far is an error."""
        if self.errors:
            raise self.failure()

    def failure(self) -> ComposeError:
        """All of it, to be raised where the files cannot be used."""
        return ComposeError(self.errors, self.warnings)

    def aside(self) -> Report:
        """A report of something that is left out: its errors count, and nothing else that is said of it."""
        other = Report()
        other.errors = self.errors
        return other


def finding_at(
    place: Place, path: Path, message: str, hint: str = "", code: str = "", severity: Severity = "error"
) -> Finding:
    """A finding at a place, with its source line where that is no secret."""
    text = place.text
    excerpt, caret = excerpt_of("" if text.secret else text.line(place.line), place.column)
    return Finding(
        text.shown, place.line, place.column, dotted(path), message, hint, excerpt, caret, severity, code or severity
    )
