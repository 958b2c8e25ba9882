"""A node's own key, made on its machine, with the certificate that the cluster gave it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from transport.identity.certificates import NodeFacts, facts_of, half_life, is_issued_by, plain_name
from transport.identity.pair import UNREADABLE, IdentityError, Pair, key_pem, new_key, read, read_key, remove, write

CERTIFIED = "node.pem"
WAITING = "node.key"


class NodeKeys:
    """The keys in `folder`, which is made with mode 0700. `clock` is the time of day.

    `node.pem` holds the key, its certificate and the authority's, written whole or not at all: `ssl` loads it as it is.
    `node.key` is the next key while its certificate is asked for, so that a request that is made again is for the same
    one. Neither key is ever handed out. Raises IdentityError where `node.pem` is damaged.
    """

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._ours = read(self.path)
        if self._ours is not None and (self._ours.beside is None or facts_of(self._ours.certificate) is None):
            raise IdentityError(f"{self.path} holds no node's certificate and authority: restore it from a backup")

    @property
    def path(self) -> Path:
        """The file for `SSLContext.load_cert_chain`; it is there once a certificate was taken."""
        return self._folder / CERTIFIED

    @property
    def facts(self) -> NodeFacts | None:
        """Who this node is by its certificate; None where it has none yet."""
        return facts_of(self._ours.certificate) if self._ours else None

    @property
    def authority(self) -> bytes:
        """The authority's certificate as PEM: what this node trusts, and nothing else. Raises IdentityError."""
        return self._beside().public_bytes(Encoding.PEM)

    @property
    def renew_at(self) -> float:
        """When half of the certificate's life is over, in seconds since the epoch; 0 where there is none yet."""
        return half_life(self._ours.certificate).timestamp() if self._ours else 0.0

    def is_due(self) -> bool:
        """Whether a certificate should be asked for now: there is none, it is at half of its life, or not yet valid.

        The last is a clock that was set back by more than a certificate is backdated.
        """
        return self._ours is None or not self._ours.certificate.not_valid_before_utc <= self._now() < half_life(
            self._ours.certificate
        )

    def request(self) -> bytes:
        """A request (PEM) for a certificate of a new key. Until that is taken it is for the same key each time."""
        return _request(self._next_key())

    def take(self, certificate: bytes, authority: bytes) -> NodeFacts:
        """Keep the certificate (PEM) that `request` was answered with, beside its authority's; durable on return.

        Raises IdentityError, and keeps what was there, where it is of another key, authority or node, or not valid now.
        """
        key = self._next_key()
        try:
            ours, theirs = x509.load_pem_x509_certificate(certificate), x509.load_pem_x509_certificate(authority)
        except UNREADABLE as error:
            raise IdentityError("the manager's answer holds no certificate; is it of the same release?") from error
        pair = Pair(key, ours, theirs)
        facts = self._checked(pair)
        write(self.path, pair.pem())
        self._ours = pair
        remove(self._folder / WAITING)
        return facts

    def drop(self) -> None:
        """Be no node any more: forget the keys and the certificate, durably."""
        remove(self.path)
        remove(self._folder / WAITING)
        self._ours = None

    def signed(self, claims: Mapping[str, object], kind: str) -> str:
        """Claims as a JWT of this kind (its `typ`), signed by this node, its certificate with it. Raises IdentityError.

        The certificate is there as `x5c` of RFC 7515: base64 of DER, the node's own first.
        """
        authority = self._beside()
        assert self._ours is not None
        chain = [
            base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in (self._ours.certificate, authority)
        ]
        return jwt.encode(dict(claims), self._ours.key, algorithm="ES256", headers={"typ": kind, "x5c": chain})

    def _checked(self, pair: Pair) -> NodeFacts:
        facts = facts_of(pair.certificate)
        if facts is None or pair.certificate.public_key() != pair.key.public_key():
            raise IdentityError("the certificate is of another key: ask for one again")
        if pair.beside is None or not is_issued_by(pair.certificate, pair.beside):
            raise IdentityError("the certificate is not of the authority that came with it: ask for one again")
        known = self.facts
        if known is not None and (known.cluster, known.node) != (facts.cluster, facts.node):
            raise IdentityError(f"the certificate is of another node, {facts.node}: this one is {known.node}")
        if self._ours is not None and pair.beside != self._ours.beside:
            raise IdentityError("the certificate is of another authority than this node trusts: join the cluster again")
        if not facts.begins <= self._now() < facts.expires:
            raise IdentityError(
                f"the certificate is good from {facts.begins:%Y-%m-%d %H:%M} to {facts.expires:%Y-%m-%d %H:%M} UTC, "
                f"and this machine's clock says {self._now():%Y-%m-%d %H:%M}: set the clock, and try again"
            )
        return facts

    def _next_key(self) -> ec.EllipticCurvePrivateKey:
        path = self._folder / WAITING
        key = read_key(path)
        # One that has its certificate already is left of a crash between the two files.
        if key is None or (self._ours is not None and key.public_key() == self._ours.key.public_key()):
            key = new_key()
            write(path, key_pem(key))
        return key

    def _beside(self) -> x509.Certificate:
        if self._ours is None or self._ours.beside is None:
            raise IdentityError("this node has no certificate yet: `gbnt legion join` gets one")
        return self._ours.beside

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _request(key: ec.EllipticCurvePrivateKey) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(plain_name("gubernator node"))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
