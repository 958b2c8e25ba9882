"""What was found of one thing, how grave it is, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Result = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Unseen:
    """Stands where a fact could not be had, and says why: what is unknown is never taken for good."""

    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix` is a command or a sentence, empty where nothing is to be done."""

    check: str
    result: Result
    found: str
    fix: str = ""


def ok(check: str, found: str) -> Finding:
    """It is as it should be."""
    return Finding(check, "ok", found)


def warning(check: str, found: str, fix: str) -> Finding:
    """gbnt works, and something will be missing or harder."""
    return Finding(check, "warning", found, fix)


def problem(check: str, found: str, fix: str) -> Finding:
    """gbnt will not work here until this is mended."""
    return Finding(check, "problem", found, fix)


def unseen(check: str, fact: Unseen, fix: str = "run `gbnt doctor` as root") -> Finding:
    """It could not be seen, so nobody knows that it is good."""
    return warning(check, f"not seen: {fact.why}", fix)
