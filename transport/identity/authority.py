"""The cluster's own certificate authority: what a client pins, and what servers and nodes prove themselves with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from transport.identity.certificates import (
    BACKDATE,
    NODE_LIFE,
    Role,
    alternatives,
    half_life,
    is_issued_by,
    key_of,
    manager_name,
    node_names,
    node_subject,
    plain_name,
    usage,
)
from transport.identity.pair import IdentityError, Pair, new_key, read, write

CA_LIFE = timedelta(days=20 * 365)
SERVER_LIFE = timedelta(days=90)

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

BOTH_SIDES = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)


class ClusterCA:
    """The authority whose key lies in `folder`, made there at the first start. `clock` is the time of day.

    Its key never leaves it: what needs a signature asks for one. Raises IdentityError where the file is damaged.
    """

    def __init__(self, folder: Path, cluster: str, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._cluster = cluster
        self._clock = clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = read(folder / "ca.pem")
        if ours is None:
            ours = _new_authority(cluster, self._now())
            write(folder / "ca.pem", ours.pem())
        self._ours = ours

    @property
    def cluster(self) -> str:
        """The lasting id of the cluster that it speaks for."""
        return self._cluster

    @property
    def certificate(self) -> bytes:
        """The authority's certificate as PEM: what clients trust."""
        return self._ours.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the authority's certificate, as hex: what a joining machine pins."""
        return hashlib.sha256(self._ours.certificate.public_bytes(Encoding.DER)).hexdigest()

    def server_certificate(self, names: Iterable[str], addresses: Iterable[str]) -> Path:
        """The PEM file of a key and certificates for a server of these names and addresses, and of this machine's.

        It is made anew where half its life is over, where the names are others, or where another authority signed it.
        The authority's own certificate is in it too: a machine that joins knows that one's fingerprint only.
        """
        path = self._folder / "server.pem"
        wanted = alternatives([*THIS_MACHINE, manager_name(self._cluster), *names, *addresses])
        if self._lasts(path, wanted):
            return path
        try:
            write(path, self._server(wanted).pem())
        except IdentityError:
            if not self._serves(path):
                raise
        return path

    def sign(self, csr: bytes, node: str, role: Role, life: timedelta = NODE_LIFE) -> bytes:
        """A node's certificate as PEM, good for `life` from now and a day back, never longer than the authority's own.

        Of the request (PEM) the key counts, which it must prove to possess; id and role are the caller's word. Raises
        CsrRefused for the request, IdentityError for an id that cannot be one.
        """
        key = key_of(csr)
        names, subject = node_names(self._cluster, node, role), node_subject(self._cluster, node, role)
        return self._issue(key, subject, names, BOTH_SIDES, life).public_bytes(Encoding.PEM)

    def signed(self, claims: Mapping[str, object], kind: str) -> str:
        """Claims as a JWT of this kind (its `typ`), signed with the authority's key."""
        return jwt.encode(dict(claims), self._ours.key, algorithm="ES256", headers={"typ": kind})

    def derived(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose, the same for as long as the authority's own is; that one stays hidden."""
        secret = self._ours.key.private_numbers().private_value.to_bytes(32, "big")
        return HKDF(hashes.SHA256(), length=32, salt=self._cluster.encode(), info=purpose.encode()).derive(secret)

    def _serves(self, path: Path) -> bool:
        """Whether the present one is still good: better than none where no other can be written."""
        try:
            present = read(path)
        except IdentityError:
            return False
        ours = self._ours.certificate
        if present is None or present.beside != ours or not is_issued_by(present.certificate, ours):
            return False
        return present.certificate.not_valid_before_utc <= self._now() < present.certificate.not_valid_after_utc

    def _lasts(self, path: Path, wanted: x509.SubjectAlternativeName) -> bool:
        try:
            present = read(path)
        except IdentityError:
            return False  # unlike the authority's, a server's key is easily made anew
        if present is None or present.beside != self._ours.certificate:
            return False
        return is_issued_by(present.certificate, self._ours.certificate) and self._is_fresh(present.certificate, wanted)

    def _is_fresh(self, certificate: x509.Certificate, wanted: x509.SubjectAlternativeName) -> bool:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return certificate.not_valid_before_utc <= self._now() < half_life(certificate) and set(named) == set(wanted)

    def _server(self, names: x509.SubjectAlternativeName) -> Pair:
        key, subject = new_key(), plain_name("gubernator server")
        uses = (ExtendedKeyUsageOID.SERVER_AUTH,)
        return Pair(key, self._issue(key.public_key(), subject, names, uses, SERVER_LIFE), self._ours.certificate)

    def _issue(
        self,
        key: ec.EllipticCurvePublicKey,
        subject: x509.Name,
        names: x509.SubjectAlternativeName,
        uses: Iterable[x509.ObjectIdentifier],
        life: timedelta,
    ) -> x509.Certificate:
        authority = self._ours.certificate
        identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = (
            _builder(subject, key, self._now(), min(self._now() + life, authority.not_valid_after_utc))
            .issuer_name(authority.subject)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        )
        return builder.sign(self._ours.key, hashes.SHA256())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _new_authority(cluster: str, now: datetime) -> Pair:
    key, name = new_key(), plain_name(f"gubernator {cluster}")
    builder = (
        _builder(name, key.public_key(), now, now + CA_LIFE)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
    )
    return Pair(key, builder.sign(key, hashes.SHA256()))


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
