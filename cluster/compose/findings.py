"""What a person is told about a compose file: where it is, what is wrong and what to do.

ComposeError    the file cannot be used as it is (the file's fault): `findings` says every reason of the stage
                that failed
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

MOST_FINDINGS = 20
LONGEST_MESSAGE = 400
EXCERPT_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Finding:
    """One error or warning.

    `line` and `column` count from 1; 0 is a finding without a place, as in a document that is no file. `excerpt` is
    the source line, cut to a window around the column for a long line; `caret` is the column within the excerpt.
    `path` names the key, as in `services.web.ports[0]`. `code` is stable, for programs.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    excerpt: str = ""
    caret: int = 1
    severity: Severity = "error"
    code: str = "invalid"

    def summary(self) -> str:
        """One line: `file:line:column: error: path: message (hint)`, safe to print to a terminal."""
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        subject = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return printable(f"{place}{self.severity}: {shorten(subject, 200)}{self.message}{hint}", LONGEST_MESSAGE)

    def render(self) -> str:
        """The summary, and under it the source line with a caret where there is one."""
        if not self.excerpt:
            return self.summary()
        return f"{self.summary()}\n  {printable(self.excerpt)}\n  {' ' * (self.caret - 1)}^"


class ComposeError(Exception):
    """A compose file that cannot be used.

    `findings` holds every error of the stage that failed, at most 20, and `warnings` what had been odd by then: an
    unset variable may be the reason.
    """

    def __init__(self, findings: Iterable[Finding], warnings: Iterable[Finding] = ()) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)[:MOST_FINDINGS]
        self.warnings: tuple[Finding, ...] = tuple(warnings)
        super().__init__("\n".join(finding.summary() for finding in self.findings))


def printable(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """`text` with control characters escaped (a file may hold terminal sequences), cut to `longest` characters."""
    cut = shorten(text, longest)
    if cut.isprintable():
        return cut
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in cut)


def shorten(text: str, longest: int) -> str:
    """`text`, or its beginning and an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def quote(text: str) -> str:
    """A value from the file as a message shows it."""
    return f'"{shorten(text, 60)}"'


def excerpt_of(line: str, column: int) -> tuple[str, int]:
    """A window of a source line around `column` (from 1), and the column within that window."""
    line = line.replace("\t", " ")
    if len(line) <= EXCERPT_WIDTH:
        return line, column
    start = max(0, min(column - 1 - EXCERPT_WIDTH // 2, len(line) - EXCERPT_WIDTH))
    return line[start : start + EXCERPT_WIDTH], column - start
