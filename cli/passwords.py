"""Passwords from a person or a pipe; never from the command line, which others can read."""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass, field

from cli.errors import BadInput

GENERATED_BYTES = 15
"""Twenty characters of 120 random bits."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A new password; `generated` where nobody has seen it yet."""

    password: str = field(repr=False)
    generated: bool = False

    def tell(self) -> None:
        """Print it where nobody has seen it: alone on the standard output, so that it can be piped."""
        if self.generated:
            print(self.password, flush=True)
            print("keep it now: it is not shown again", file=sys.stderr)


def sign_in_as(where: str, username: str, *, from_input: bool) -> tuple[str, str]:
    """The name and the password to sign in by, somewhere. Raises BadInput where one lacks."""
    if from_input:
        if not username:
            raise BadInput("--password-stdin needs --username: who is it that signs in?")
        password = sys.stdin.read().rstrip("\r\n")
    elif not sys.stdin.isatty():
        raise BadInput("there is no terminal to ask for the password: pipe it in, with --username and --password-stdin")
    else:
        try:
            username = username or input(f"Name at {where}: ").strip()
        except EOFError:
            username = ""
        password = _typed(f"Password at {where}: ") if username else ""
    if not username or not password:
        raise BadInput("a sign-in needs a name and a password: nothing was changed")
    return username, password


def new_password(*, from_input: bool, generate: bool) -> Chosen:
    """A password to be: read, or made, or typed twice by a person. Raises BadInput where there is none."""
    if from_input and generate:
        raise BadInput("--password-stdin and --generate are two passwords: leave out one")
    if generate:
        return Chosen(secrets.token_urlsafe(GENERATED_BYTES), generated=True)
    if from_input:
        return Chosen(_there(sys.stdin.readline().rstrip("\r\n")))
    if not sys.stdin.isatty():
        raise BadInput(
            "there is no terminal to ask for the password: pipe it in by --password-stdin, or --generate one"
        )
    return Chosen(_twice())


def another_password(*, from_input: bool) -> tuple[str, str]:
    """The present password and the one to come: two lines of the standard input, or what a person types.

    Raises BadInput where one lacks.
    """
    if from_input:
        lines = sys.stdin.read().splitlines()
        if len(lines) != 2:
            raise BadInput("--password-stdin reads two lines: the present password, and the new one")
        return _there(lines[0]), _there(lines[1])
    if not sys.stdin.isatty():
        raise BadInput("there is no terminal to ask for the passwords: pipe two lines in by --password-stdin")
    return _there(_typed("Present password: ")), _twice()


def _twice() -> str:
    password = _there(_typed("New password: "))
    if _typed("The same again: ") != password:
        raise BadInput("the two are not the same: nothing was changed")
    return password


def _there(password: str) -> str:
    if not password:
        raise BadInput("the password is empty: nothing was changed")
    return password


def _typed(prompt: str) -> str:
    from getpass import getpass

    try:
        return getpass(prompt)
    except EOFError:
        return ""
