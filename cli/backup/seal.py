"""A sealed file: whoever has the passphrase reads what was put in, all of it and in its order, or nothing.

    magic (8 bytes), version (1), cost (3), salt (32), commitment (32), then chunks

Scrypt makes a key and a commitment to it out of passphrase and salt, at the cost that is written there. A chunk is
64 KiB of the content under ChaCha20-Poly1305. Its nonce is its number and whether it is the last, and its tag covers
all that is before the chunks, too: nothing can be changed, moved, cut off or added unseen.

SealError
├── Foreign           it is no sealed file, or one of a newer gbnt
├── WrongPassphrase   or the file's beginning is damaged: nobody can tell the one from the other
└── Damaged           the passphrase is right, and something was changed or is missing
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"gbntseal"
VERSION = 1
SALT = 32
CHUNK = 64 << 10
TAG = 16

_KEY = 32
_PREAMBLE = len(MAGIC) + 1 + 3 + SALT
_HEADER = _PREAMBLE + _KEY

# What a file may ask of the machine that opens it, whoever wrote it.
_MOST_MEMORY = 256 << 20
_MOST_PASSES = 4


class SealError(Exception):
    """A file cannot be opened. The text goes on after its name: `is ...`."""


class Foreign(SealError):
    """It is no sealed file of this or an older gbnt."""


class WrongPassphrase(SealError):
    """It does not open by this passphrase."""


class Damaged(SealError):
    """It opens, and what is in it is not what was put in."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs, in scrypt's terms: `passes` times over `128 * block * 2**doublings` bytes of memory."""

    doublings: int = 17
    block: int = 8
    passes: int = 1

    @property
    def memory(self) -> int:
        """In bytes."""
        return (128 * self.block) << self.doublings

    def is_bearable(self) -> bool:
        """Whether this machine lets a file ask that of it."""
        return self.doublings > 0 and self.block > 0 and self.memory <= _MOST_MEMORY and 0 < self.passes <= _MOST_PASSES


def seal(content: Iterable[bytes], passphrase: str, salt: bytes, cost: Cost) -> Iterator[bytes]:
    """The sealed file of a content, both in pieces. `salt` is SALT bytes that never were used before."""
    preamble = MAGIC + bytes((VERSION, cost.doublings, cost.block, cost.passes)) + salt
    key, commitment = _derived(passphrase, salt, cost)
    header = preamble + commitment
    yield header
    cipher = ChaCha20Poly1305(key)
    for number, (chunk, is_last) in enumerate(_chunks(content)):
        yield cipher.encrypt(_nonce(number, is_last), chunk, header)


def unseal(file: BinaryIO, passphrase: str) -> Iterator[bytes]:
    """The content of a sealed file, in pieces; each is as it was put in, and the last one has come at the end only.

    Raises SealError, before the first piece or after it.
    """
    header = file.read(_HEADER)
    cost, salt = _read(header)
    key, commitment = _derived(passphrase, salt, cost)
    if not hmac.compare_digest(commitment, header[_PREAMBLE:]):
        raise WrongPassphrase("is not opened by this passphrase: it is wrong, or the file's beginning is damaged")
    cipher = ChaCha20Poly1305(key)
    for number, (chunk, is_last) in enumerate(_sealed_chunks(file)):
        try:
            yield cipher.decrypt(_nonce(number, is_last), chunk, header)
        except InvalidTag as error:
            raise Damaged("is damaged: something in it was changed, or is missing; take another copy of it") from error


def is_sealed(beginning: bytes) -> bool:
    """Whether a file with this beginning says of itself that it is a sealed one."""
    return beginning.startswith(MAGIC)


def _read(header: bytes) -> tuple[Cost, bytes]:
    if not is_sealed(header):
        raise Foreign("is no backup of gbnt's: name the file that `gbnt backup create` wrote")
    if len(header) < _HEADER:
        raise Damaged("is cut off at its beginning: take another copy of it")
    version, *numbers = header[len(MAGIC) : _PREAMBLE - SALT]
    if version != VERSION:
        raise Foreign(f"is of format {version}, and this gbnt knows {VERSION} alone: use the gbnt that wrote it")
    cost = Cost(*numbers)
    if not cost.is_bearable():
        raise Foreign("asks for more memory than any backup of gbnt's: it is damaged, or made to do harm")
    return cost, header[_PREAMBLE - SALT : _PREAMBLE]


def _derived(passphrase: str, salt: bytes, cost: Cost) -> tuple[bytes, bytes]:
    scrypt = Scrypt(salt=salt, length=2 * _KEY, n=1 << cost.doublings, r=cost.block, p=cost.passes)
    try:
        derived = scrypt.derive(passphrase.encode())
    except MemoryError as error:
        raise SealError(f"needs {cost.memory >> 20} MiB of memory for its passphrase: free some") from error
    return derived[:_KEY], derived[_KEY:]


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((is_last,))


def _chunks(content: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """All of the content in chunks, and of each whether it is the last: that one alone may be short, or empty."""
    held = bytearray()
    for piece in content:
        held += piece
        while len(held) > CHUNK:
            yield bytes(held[:CHUNK]), False
            del held[:CHUNK]
    yield bytes(held), True


def _sealed_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    chunk = file.read(CHUNK + TAG)
    while following := file.read(CHUNK + TAG):
        yield chunk, False
        chunk = following
    yield chunk, True
