"""A question to the person at the terminal."""

from __future__ import annotations


def agreed(question: str) -> bool:
    """Whether the person says yes. Anything else is no, and so is Ctrl-D."""
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")
