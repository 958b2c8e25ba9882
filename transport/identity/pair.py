"""A private key and its certificates in one file of mode 0600, so that no crash can leave one without the other."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

# What `cryptography` raises for bytes that it cannot read: not all of it is a ValueError.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class IdentityError(Exception):
    """Keys or certificates cannot be used. The text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A private key, its certificate, and (`beside`) the certificate of the authority where it is kept with them."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate
    beside: x509.Certificate | None = None

    def pem(self) -> bytes:
        """The file's content."""
        certificates = [self.certificate] if self.beside is None else [self.certificate, self.beside]
        return key_pem(self.key) + b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key that never was before, on the one curve that this package uses."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as it is written into a file of mode 0600, and nowhere else."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """The key in a file; None where there is no file, or none that holds a key of ours: a new one is easily made."""
    pem = _content(path)
    if pem is None:
        return None
    try:
        key = load_pem_private_key(pem, None)
    except UNREADABLE:
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1) else None


def read(path: Path) -> Pair | None:
    """The pair in a file, or None where there is no file. Raises IdentityError for one that is no pair."""
    pem = _content(path)
    if pem is None:
        return None
    try:
        key, certificates = load_pem_private_key(pem, None), x509.load_pem_x509_certificates(pem)
    except UNREADABLE as error:
        raise IdentityError(f"{path} holds no key and certificate: restore it from a backup") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificates[0].public_key():
        raise IdentityError(f"the key and the certificate in {path} do not belong together: restore it from a backup")
    return Pair(key, certificates[0], certificates[1] if len(certificates) > 1 else None)


def write(path: Path, pem: bytes) -> None:
    """Write a file of mode 0600, whole or not at all, and durably. Raises IdentityError where it cannot be."""
    try:
        _write(path, pem)
    except OSError as error:
        raise IdentityError(f"cannot write {path}: {error.strerror}; make room, or run gbnt as its owner") from error


def remove(path: Path) -> None:
    """Remove a file, durably; that it is not there is fine."""
    path.unlink(missing_ok=True)
    _sync(path.parent)


def _write(path: Path, pem: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IdentityError(f"cannot read {path}: {error.strerror}; run gbnt as the user who owns it") from error
