"""The cluster's own certificate authority: what a client pins, and what the manager's doors prove themselves with.

IdentityError    what lies in the folder is not usable; the text says what to do
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFE = timedelta(days=20 * 365)
SERVER_LIFE = timedelta(days=90)
# Machines whose clocks are a little behind must not find a fresh certificate not yet valid.
BACKDATE = timedelta(days=1)

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class IdentityError(Exception):
    """The cluster's keys cannot be read. The text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A private key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def pem(self) -> bytes:
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + self.certificate.public_bytes(Encoding.PEM)


class ClusterCA:
    """The authority whose key lies in `folder`, made there at the first start. `clock` is the time of day.

    A key and its certificate share one file of mode 0600, so that no crash can leave one without the other.
    """

    def __init__(self, folder: Path, cluster: str, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = _read(folder / "ca.pem")
        if ours is None:
            ours = _new_authority(cluster, self._now())
            _write(folder / "ca.pem", ours.pem())
        self._ours = ours

    @property
    def certificate(self) -> bytes:
        """The authority's certificate as PEM: what clients trust."""
        return self._ours.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the authority's certificate, as hex: what a joining machine pins."""
        return hashlib.sha256(self._ours.certificate.public_bytes(Encoding.DER)).hexdigest()

    def server_certificate(self, names: Iterable[str], addresses: Iterable[str]) -> Path:
        """The PEM file of a key and certificate for a server of these names and addresses, and of this machine's.

        It is made anew where half its life is over, where the names are others, or where another authority signed it.
        """
        path = self._folder / "server.pem"
        wanted = _alternatives([*THIS_MACHINE, *names, *addresses])
        if not self._lasts(path, wanted):
            _write(path, self._issue(wanted).pem())
        return path

    def _lasts(self, path: Path, wanted: x509.SubjectAlternativeName) -> bool:
        try:
            present = _read(path)
        except IdentityError:
            return False  # unlike the authority's, a server's key is easily made anew
        return (
            present is not None and self._is_ours(present.certificate) and self._is_fresh(present.certificate, wanted)
        )

    def _is_ours(self, certificate: x509.Certificate) -> bool:
        try:
            certificate.verify_directly_issued_by(self._ours.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def _is_fresh(self, certificate: x509.Certificate, wanted: x509.SubjectAlternativeName) -> bool:
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return begin <= self._now() < begin + (end - begin) / 2 and set(named) == set(wanted)

    def _issue(self, names: x509.SubjectAlternativeName) -> _Pair:
        key, authority, now = ec.generate_private_key(ec.SECP256R1()), self._ours.certificate, self._now()
        identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = (
            _builder(_name("gubernator server"), key, now, SERVER_LIFE)
            .issuer_name(authority.subject)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        )
        return _Pair(key, builder.sign(self._ours.key, hashes.SHA256()))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _new_authority(cluster: str, now: datetime) -> _Pair:
    key, name = ec.generate_private_key(ec.SECP256R1()), _name(f"gubernator {cluster}")
    builder = (
        _builder(name, key, now, CA_LIFE)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _Pair(key, builder.sign(key, hashes.SHA256()))


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(hosts: Iterable[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(host) for host in sorted(set(hosts))])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode())


def _read(path: Path) -> _Pair | None:
    """The pair in a file, or None where there is no file."""
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IdentityError(f"cannot read {path}: {error.strerror}; run gbnt as the user who owns it") from error
    try:
        key, certificate = load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise IdentityError(f"{path} holds no key and certificate: restore it from a backup") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise IdentityError(f"the key and the certificate in {path} do not belong together: restore it from a backup")
    return _Pair(key, certificate)


def _write(path: Path, pem: bytes) -> None:
    """Write a file of mode 0600, whole or not at all, and durably."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
