"""Findings as a person reads them: a line each, and below it what mends it, whole and ready to be copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cli.doctor.finding import Finding
from cli.table import Column, cells, column, printable, render
from cli.words import count

SYMBOLS: Mapping[str, str] = {"ok": "✓", "warning": "!", "problem": "✗"}


def drawn(findings: Sequence[Finding], *, symbols: bool) -> str:
    """All findings under their titles. With `symbols`, for a terminal, each result has its sign."""
    lines = render(map(row, findings), _columns(symbols)).splitlines()
    indent = " " * (cells(SYMBOLS["ok"]) + 3)
    shown = lines[:1]
    for line, finding in zip(lines[1:], findings, strict=True):
        shown += [line, *([f"{indent}fix: {printable(finding.fix)}"] if finding.fix else ())]
    return "\n".join(shown)


def summary(findings: Sequence[Finding]) -> str:
    """How many there are of what needs a person: `1 problem, 3 warnings`."""
    by_result = {result: sum(one.result == result for one in findings) for result in ("problem", "warning")}
    return ", ".join(count(number, noun) for noun, number in by_result.items() if number) or "all is well"


def row(finding: Finding) -> dict[str, str]:
    """For `-o json`."""
    return {"check": finding.check, "result": finding.result, "found": finding.found, "fix": finding.fix}


def _columns(symbols: bool) -> tuple[Column[dict[str, str]], ...]:
    def result(row: Mapping[str, str]) -> str:
        return f"{SYMBOLS[row['result']]} {row['result']}" if symbols else str(row["result"])

    return (Column("RESULT", result), column("CHECK", "check"), column("FOUND", "found"))
