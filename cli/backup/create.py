"""Makes a backup of a node's data directory, whether a gbnt serves from it or not."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from cli.backup.archive import AUTHORITY, CREDENTIAL, IDENTITY, STATE, Backup, Manifest, missing, packed
from cli.backup.seal import SALT, Cost, seal
from cli.errors import CliError
from cli.home import Home, remove_unfinished, write_pieces
from cli.words import size
from gubernator import __version__
from store.contract import StoreError
from store.copies import image, stamp
from transport.identity.pair import IdentityError, read

COST = Cost()
TELL_EVERY = 1.0  # seconds


def collect(data_dir: Path, at: float) -> Backup:
    """All that is to be kept of a node, of one moment; `at` is the time of day. Raises CliError."""
    home = Home(data_dir, make=False)
    try:
        identity = home.known()
        parts = {name: content for name, path in files(home).items() if (content := _content(path)) is not None}
        lacking = missing([*parts, STATE] if home.store.is_file() else parts)
        if identity is None or lacking:
            raise CliError(_nothing_to_keep(home, lacking))
        read(home.keys / "ca.pem")
        state = image(home.store)
    except OSError as error:
        raise CliError(f"cannot read {error.filename}: {error.strerror}; run this as the user of that gbnt") from error
    except (IdentityError, StoreError) as error:
        raise CliError(str(error)) from error
    manifest = Manifest(
        identity.cluster, identity.node, identity.name, __version__, at, state.revision, schema=state.schema
    )
    return Backup(manifest, {**parts, STATE: state.content})


def files(home: Home) -> dict[str, Path]:
    """Where the parts lie that are kept as they are. The server's and the node's certificates are easily made anew."""
    return {IDENTITY: home.identity_file, AUTHORITY: home.keys / "ca.pem", CREDENTIAL: home.credentials}


def usual_name(manifest: Manifest) -> str:
    """What the file is called where a person does not say: by node and time."""
    return f"gbnt-{re.sub(r'[^A-Za-z0-9_.-]', '-', manifest.name)}-{stamp(manifest.created)}.backup"


def write(backup: Backup, passphrase: str, target: Path | None) -> None:
    """Seal a backup into the file `target`, which is there whole or not at all; None is the standard output.

    Raises CliError where the file is there already, or cannot be written.
    """
    pieces = _told(seal(packed(backup), passphrase, os.urandom(SALT), COST), sum(map(len, backup.parts.values())))
    if target is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    insist_on_new(target)
    try:
        remove_unfinished(target)
        write_pieces(target, pieces)
    except OSError as error:
        raise CliError(f"cannot write {target}: {error.strerror}; nothing of it is left there") from error


def insist_on_new(target: Path) -> None:
    """Raise CliError where this file is there already: it may be the only backup that there is."""
    if target.exists():
        raise CliError(f"{target} is there already: choose another name, or remove it first")


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # the first credential may be used for the first time just now
        return None


def _told(pieces: Iterable[bytes], total: int) -> Iterator[bytes]:
    """The same pieces; whoever waits for a second or more is told how far it is."""
    done, told = 0, 0.0
    for piece in pieces:
        told = told or time.monotonic()  # after the first one: what came before it was the passphrase's work
        yield piece
        done += len(piece)
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            print(f"{size(min(done, total))} of {size(total)} are written", file=sys.stderr)


def _nothing_to_keep(home: Home, lacking: list[str]) -> str:
    if home.legion.exists():
        return (
            f"the node in {home.path} joined a cluster, and has nothing that its manager does not have: run this on "
            "the manager; a worker that is lost is replaced by another one that joins"
        )
    return (
        f"{home.path} is no data directory of a manager ({', '.join(lacking)} are not there): name it by --data-dir; "
        "it is there once `gbnt serve` has started"
    )
