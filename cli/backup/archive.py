"""What is in a backup: a manifest, and the parts that it lists, one after the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

from cli.backup.seal import Damaged, Foreign

FORMAT = 1
IDENTITY, AUTHORITY, STATE, CREDENTIAL = "node.json", "ca.pem", "gbnt.db", "first-credentials"
NEEDED = (IDENTITY, AUTHORITY, STATE)
KNOWN = (*NEEDED, CREDENTIAL)

_LENGTH = 4  # bytes of the manifest's own length
_LONGEST_MANIFEST = 64 << 10
_UNREADABLE = "is damaged, or of a gbnt that does not know what belongs in a backup"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Whose state it is, and of when: `created` in seconds since the epoch, `gbnt` the version that made it."""

    cluster: str
    node: str
    name: str
    gbnt: str
    created: float
    revision: int
    schema: int


@dataclass(frozen=True, slots=True)
class Backup:
    """A manifest, and each part's content by its name, which is one of KNOWN."""

    manifest: Manifest
    parts: Mapping[str, bytes] = field(repr=False)

    def contents(self) -> list[dict[str, object]]:
        """Each part by name, size and SHA-256."""
        return [
            {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in self.parts.items()
        ]

    def described(self) -> dict[str, object]:
        """The manifest with its list of parts, as it is written and shown."""
        return {"format": FORMAT, **asdict(self.manifest), "parts": self.contents()}


def packed(backup: Backup) -> Iterator[bytes]:
    """The backup as bytes, in pieces."""
    manifest = json.dumps(backup.described()).encode()
    yield len(manifest).to_bytes(_LENGTH, "big") + manifest
    yield from backup.parts.values()


def unpacked(pieces: Iterable[bytes]) -> Backup:
    """The backup that these pieces are. Raises Damaged unless it is whole, Foreign for a newer format."""
    content = memoryview(b"".join(pieces))
    length = int.from_bytes(content[:_LENGTH], "big")
    try:
        if length > _LONGEST_MANIFEST:
            raise ValueError(f"a manifest of {length} bytes")
        written = json.loads(bytes(content[_LENGTH : _LENGTH + length]))
        if written.pop("format") != FORMAT:
            raise Foreign("is of a newer format than this gbnt knows: use the gbnt that wrote it")
        listed = written.pop("parts")
        backup = Backup(Manifest(**written), dict(_parts(listed, content[_LENGTH + length :])))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Damaged(f"{_UNREADABLE}: {error}") from error
    if backup.contents() != listed or missing(backup.parts):
        raise Damaged(f"{_UNREADABLE}: its parts are not those that it lists")
    return backup


def missing(parts: Iterable[str]) -> list[str]:
    """The parts without which nothing can be rebuilt, and which are not among these."""
    return [name for name in NEEDED if name not in set(parts)]


def _parts(listed: Iterable[Mapping[str, object]], content: memoryview) -> Iterator[tuple[str, bytes]]:
    """Each part that is listed, under a name that this gbnt gave it: no other name ever reaches a file system."""
    for entry in listed:
        name, size = entry["name"], entry["size"]
        if name not in KNOWN or not isinstance(size, int) or not 0 <= size <= len(content):
            raise ValueError(f"a part {name!r} of {size!r} bytes")
        yield str(name), bytes(content[:size])
        content = content[size:]
    if content:
        raise ValueError(f"{len(content)} bytes more than its parts")
