"""A compose file as the person has it on disk, read and loaded into a spec."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from cli.errors import BadInput
from cli.words import count
from cluster.compose.findings import ComposeError
from cluster.compose.loader import Loaded, Source, load

LARGEST_FILE = 4 * 1024 * 1024
# In Compose's own order: a folder with several of them is taken for the same stack by both.
USUAL_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")


def load_file(file: str, stack: str | None, environment: Mapping[str, str] = os.environ) -> Loaded:
    """Load the compose file `file` (`-` is the standard input, empty looks for one of the usual names here).

    Warnings go to the standard error; what is wrong with the file raises BadInput with every place.
    """
    path = file or _found()
    folder = Path.cwd() if path == "-" else Path(path).absolute().parent
    name = "compose.yaml" if path == "-" else Path(path).name
    try:
        source = Source(str(folder / name), _read(path), shown="standard input" if path == "-" else path)
        loaded = load(source, project=stack, environment=environment, read=_read)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    except ComposeError as error:
        shown = "\n".join(finding.render() for finding in error.findings)
        shown_path = "the standard input" if path == "-" else path
        raise BadInput(f"{shown_path} cannot be deployed, and nothing was changed\n{shown}") from error
    for warning in loaded.warnings:
        print(warning.render(), file=sys.stderr)
    if loaded.warnings:
        print(f"{count(len(loaded.warnings), 'warning')} in {path}\n", file=sys.stderr)
    return loaded


def _found() -> str:
    """The first of the usual names that is here. What Compose would read besides is named: gbnt reads one file."""
    name = next((name for name in USUAL_NAMES if Path(name).is_file()), "")
    if not name:
        raise BadInput(f"there is no {USUAL_NAMES[0]} in {Path.cwd()}: name the file with -c FILE")
    for other in USUAL_NAMES:
        override = Path(other).with_suffix(f".override{Path(other).suffix}")
        if override.is_file():
            print(
                f"warning: {override} is not read: put what it says into {name}, or into one file for -c",
                file=sys.stderr,
            )
    return name


def _read(path: str) -> bytes:
    """The bytes of a regular file of bounded size, or of the standard input for `-`. Raises OSError."""
    if path == "-":
        data = sys.stdin.buffer.read(LARGEST_FILE + 1)
    else:
        # Opened before it is looked at, and without waiting: a named pipe would be waited for for ever.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "it is no regular file; `-c -` reads the standard input")
            data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST_FILE >> 20} MiB: is it the one?")
    return data
