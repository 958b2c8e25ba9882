"""What ends a command before its work is done: one sentence for the person, and the exit status for the script.

CliError            1   asked and answered: no, or it failed
├── NotFound        1   there is no such stack, service, task, ...
├── BadInput        2   the person's file, name or option is wrong; nothing was changed
├── Unreachable     3   no manager answered
└── NotAllowed      4   the manager refused the credential
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence


class CliError(Exception):
    """The command failed. The message is a sentence that says what to do next; it is printed after `error: `."""

    exit_code = 1
    findings: Sequence[Mapping[str, object]] = ()
    """Places in what was sent, and what a manager found wrong with each."""


def raise_for(failures: Sequence[str], in_all: str) -> None:
    """Raise CliError with the one failure that there is, or with what several come to, which are printed before it."""
    if len(failures) == 1:
        raise CliError(failures[0])
    if failures:
        print(*(f"error: {why}" for why in failures), sep="\n", file=sys.stderr)
        raise CliError(in_all)


class NotFound(CliError):
    """What the person named does not exist."""


class BadInput(CliError):
    """A file, name or option that cannot be used."""

    exit_code = 2


class Unreachable(CliError):
    """The manager did not answer, or its answer broke off. `sent` tells whether it may have got the request."""

    exit_code = 3

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class NotAllowed(CliError):
    """The manager does not take this credential, or it may not do this."""

    exit_code = 4
