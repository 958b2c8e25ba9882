"""Building an image on the manager's engine from a folder on this machine, streamed as a tar archive."""

from __future__ import annotations

import json
import os
import stat
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from cli.client import Client
from cli.dockerignore import rules, walk
from cli.errors import BadInput, CliError
from cluster.spec import Build

CHUNK = 256 * 1024
FOREIGN_DOCKERFILE = ".gbnt.dockerfile"  # its name in the archive where it lies outside the folder


def build_image(client: Client, image: str, build: Build) -> tuple[str, str]:
    """Build `image`, print the engine's output as it comes, and return its content id and the id of the node it is on.

    Raises BadInput for a folder or Dockerfile that cannot be read, CliError with the engine's reason.
    """
    root = Path(build.context)
    if not root.is_dir():
        raise BadInput(f'the build context "{build.context}" of {image} is no folder on this machine')
    dockerfile = Path(os.path.normpath(root / build.dockerfile))
    if not dockerfile.is_file():
        raise BadInput(f"{image} is to be built from {dockerfile}, which does not exist")
    inside = dockerfile.is_relative_to(root)
    params: dict[str, str | int | None] = {
        "tag": image,
        "dockerfile": dockerfile.relative_to(root).as_posix() if inside else FOREIGN_DOCKERFILE,
        "buildargs": json.dumps(dict(build.args)),
        "labels": json.dumps(dict(build.labels)),
        "target": build.target,
        "networkmode": build.network,
        "nocache": int(build.no_cache) or None,
        "pull": int(build.pull) or None,
    }
    for row in client.build(params, archive(root, dockerfile)):
        if row.get("image_id"):
            return str(row["image_id"]), str(row["node"])
        print(str(row.get("line", "")).rstrip("\n"), file=sys.stderr)
    raise CliError(f"the build of {image} broke off without a result; run the command again")


def archive(root: Path, dockerfile: Path) -> Iterator[bytes]:
    """The folder as a tar stream in pieces, without what `.dockerignore` leaves out; never a whole file in memory.

    The Dockerfile and `.dockerignore` are always there, as the engine needs both. Owners are left out, so that the
    same files give the same layers whoever builds.
    """
    ignore = root / ".dockerignore"
    known = rules(ignore.read_text(encoding="utf-8", errors="replace")) if ignore.is_file() else ()
    inside = dockerfile.is_relative_to(root)
    keep = [".dockerignore", *([dockerfile.relative_to(root).as_posix()] if inside else [])]
    for name in walk(root, known, keep):
        yield from _member(root / name, name)
    if not inside:
        yield from _member(dockerfile, FOREIGN_DOCKERFILE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(path: Path, name: str) -> Iterator[bytes]:
    """One file's header and content; sockets, pipes and devices are no part of a build."""
    try:
        found = path.lstat()
        info = tarfile.TarInfo(name)
        info.mode, info.mtime = stat.S_IMODE(found.st_mode), int(found.st_mtime)
        if stat.S_ISREG(found.st_mode):
            info.size = found.st_size
        elif stat.S_ISDIR(found.st_mode):
            info.type = tarfile.DIRTYPE
        elif stat.S_ISLNK(found.st_mode):
            info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
        else:
            return
        yield info.tobuf(tarfile.PAX_FORMAT)
        yield from _content(path, info.size)
    except OSError as error:
        raise BadInput(f"cannot read {path} for the build: {error.strerror}; .dockerignore can leave it out") from error


def _content(path: Path, size: int) -> Iterator[bytes]:
    """Exactly `size` bytes of the file, and zeros to the end of the block."""
    if not size:
        return
    left = size
    with open(path, "rb") as file:
        while left > 0 and (piece := file.read(min(CHUNK, left))):
            left -= len(piece)
            yield piece
    if left:
        raise BadInput(f"{path} became shorter while it was read for the build; run the command again")
    yield bytes(-size % tarfile.BLOCKSIZE)
