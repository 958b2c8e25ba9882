"""The passphrase of a backup: from a file, the environment, or a terminal; never from the command line."""

from __future__ import annotations

import sys
import unicodedata
from getpass import getpass
from pathlib import Path

from cli.errors import BadInput
from cli.options import secret

LEAST = 12
VARIABLE = "GBNT_BACKUP_PASSPHRASE"


def new_passphrase(file: str) -> str:
    """The passphrase for a file that is to be written; a person is asked twice. Raises BadInput for one too short.

    `file` is a file's name, `-` for the standard input, or empty; then the environment counts, and then the terminal.
    """
    given = _given(file)
    passphrase = given or _asked("Passphrase for the backup: ")
    if len(passphrase) < LEAST:
        raise BadInput(
            f"the passphrase has {len(passphrase)} characters, and whoever has the file may try as many as they like: "
            f"take {LEAST} or more"
        )
    if not given and _asked("The same again: ") != passphrase:
        raise BadInput("the two passphrases are not the same: try again")
    return passphrase


def known_passphrase(file: str) -> str:
    """The passphrase of a file that is to be read. Raises BadInput where there is none."""
    passphrase = _given(file) or _asked("Passphrase of the backup: ")
    if not passphrase:
        raise BadInput("the passphrase is empty: give the one that the backup was made with")
    return passphrase


def _given(file: str) -> str:
    """What a file or the environment says; empty where neither is there. A file that is there and empty is told."""
    if not file:
        return _plain(secret(VARIABLE))
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read the passphrase in {file}: {error}") from error
    if not (passphrase := _plain(text)):
        raise BadInput(f"there is no passphrase in {file}: write one into it")
    return passphrase


def _asked(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise BadInput(
            f"a passphrase is needed: name a file with it by --passphrase-file, or set {VARIABLE}_FILE; "
            "on a terminal it is asked for"
        )
    try:
        return _plain(getpass(prompt))
    except EOFError as error:
        raise BadInput("no passphrase was given: nothing was done") from error


def _plain(text: str) -> str:
    """The same text however it was typed: keyboards differ in how they make an accent, files in how they end."""
    try:
        return unicodedata.normalize("NFC", text.strip()).encode().decode()
    except UnicodeEncodeError as error:
        raise BadInput("the passphrase is no text in UTF-8: choose another one") from error
