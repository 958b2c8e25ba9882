"""A question to the person at the terminal. A script is never asked: it says `--yes`, or nothing is done."""

from __future__ import annotations

import sys

from cli.errors import BadInput


def confirm(question: str, *, yes: bool, otherwise: str = "nothing was removed") -> None:
    """Go on only where the person says yes, by `--yes` or now; any other answer is no, and so is Ctrl-D.

    What it is about has been printed before. Raises BadInput, which says what came of it `otherwise`.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput(f"{otherwise}; say --yes to do it without being asked")
    try:
        # input() would ask on the output of the command, which may go to a file.
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        answer = input()
    except EOFError:
        print(file=sys.stderr)
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise BadInput(otherwise)
