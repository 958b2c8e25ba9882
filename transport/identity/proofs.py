"""Proofs of who a node is: a JWT for one minute, signed by the node's own key, its certificate with it.

TLS has checked a certificate by then, but the server's application is not shown it. A proof names its audience, so that
who receives one cannot pass it on; its purpose, so that one for a harmless question does nothing else; a nonce, so that
it counts once; and times, judged with an allowance, for the clocks of two machines differ.

Nonces are remembered in memory: a proof that was captured may count once more at the next process, within `LIFE` and
`ALLOWANCE`. To refuse what was issued before that began would close out each node whose clock is behind, for as long as
that is, though the allowance is for its sake. And to capture one takes a key that the cluster certified for the
audience: it is sent over TLS, to nobody else.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from transport.identity.certificates import NodeFacts, Role, facts_of, is_issued_by
from transport.identity.node_keys import NodeKeys
from transport.identity.nonces import Nonces
from transport.identity.pair import UNREADABLE

KIND = "gbnt-proof+jwt"
SCHEME = "Gbnt-Proof"
HEADER = "authorization"
LIFE = 60.0
ALLOWANCE = 900.0
LONGEST = 8192
CLAIMS = ("iss", "aud", "purpose", "iat", "exp", "jti")

TURNED_AWAY = "this manager does not take this proof of who you are; its log says why"

Purpose = Literal["link", "place", "renew", "knock", "leave"]
"""What a proof is for: a link or conduit, a manager's word of where it is, or one of the API's questions of nodes."""

IsMember = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Peer:
    """A node that has proven who it is. `serial` is its certificate's as hex, `expires_at` that one's end.

    `role` is what the certificate says; where the state says another one, the state is right.
    """

    node: str
    role: Role
    serial: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """No proof that counts. `reason` is for this side's log alone.

    `stranger` is the id of the node that it is, where that is proven and only its membership is not.
    """

    reason: str
    stranger: str = ""

    @property
    def said(self) -> str:
        """What the peer is told: the same whatever the reason was."""
        return TURNED_AWAY


def proof(keys: NodeKeys, audience: str, purpose: Purpose, clock: Callable[[], float] = time.time) -> dict[str, str]:
    """Headers that prove to `audience` (a node's id, or the cluster's) who this node is, once and for `purpose`.

    Raises IdentityError where the node has no certificate yet.
    """
    now, facts = clock(), keys.facts
    claims = {
        "iss": facts.node if facts else "",
        "aud": audience,
        "purpose": purpose,
        "iat": int(now),
        "exp": int(now + LIFE),
        "jti": secrets.token_urlsafe(16),
    }
    return {HEADER: f"{SCHEME} {keys.signed(claims, KIND)}"}


class Authenticator:
    """Tells who a peer is. `authority` is the cluster's certificate as PEM, `audiences` the names that this side has.

    It remembers nonces, so there is one for each set of audiences in a process.
    """

    def __init__(
        self, authority: bytes, cluster: str, audiences: Collection[str], clock: Callable[[], float] = time.time
    ) -> None:
        self._authority = x509.load_pem_x509_certificate(authority)
        self._cluster = cluster
        self._audiences = frozenset(audiences)
        self._clock = clock
        self._nonces = Nonces()

    def authenticate(self, headers: Mapping[str, str], purpose: Purpose, is_member: IsMember) -> Peer | Refusal:
        """The peer that these headers prove for a purpose, or why none. `is_member` tells of a node's id."""
        given = [value for name, value in headers.items() if name.lower() == HEADER]
        scheme, _, text = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() != SCHEME.lower() or not text:
            return Refusal("no proof")
        if len(text) > LONGEST:
            return Refusal(f"a proof of {len(text)} characters")
        try:
            certificate, claims = self._read(text.strip())
            facts = self._facts(certificate)
            self._check(claims, facts, purpose)
            self._count(claims, facts, is_member)
        except _Refused as refused:
            return Refusal(str(refused), refused.stranger)
        return Peer(facts.node, facts.role, facts.serial, facts.expires.timestamp())

    def _read(self, text: str) -> tuple[x509.Certificate, Mapping[str, Any]]:
        """The certificate, and the claims that its key signed."""
        try:
            header = jwt.get_unverified_header(text)
            if header.get("typ") != KIND:
                raise _Refused("a token of another kind")
            certificate = _leaf(header.get("x5c"))
            key = certificate.public_key()
            if not isinstance(key, ec.EllipticCurvePublicKey):
                raise _Refused("a key of another kind")
            options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
            claims = jwt.decode(
                text, key, algorithms=["ES256"], options=cast(Any, {**options, "require": list(CLAIMS)})
            )
        except jwt.InvalidSignatureError:
            raise _Refused("the signature is wrong") from None
        except (jwt.PyJWTError, *UNREADABLE) as error:
            raise _Refused(f"no readable proof ({type(error).__name__})") from None
        return certificate, claims

    def _facts(self, certificate: x509.Certificate) -> NodeFacts:
        if not is_issued_by(certificate, self._authority):
            raise _Refused("a certificate of a foreign authority")
        facts = facts_of(certificate)
        if facts is None or facts.cluster != self._cluster:
            raise _Refused("a certificate that is no node's of this cluster")
        if not facts.begins <= self._now() < facts.expires:
            raise _Refused(f"the certificate of node {facts.node} is good from {facts.begins} to {facts.expires}")
        return facts

    def _check(self, claims: Mapping[str, Any], facts: NodeFacts, purpose: Purpose) -> None:
        who, to, meant, issued, ends, nonce = (claims[name] for name in CLAIMS)
        if who != facts.node:
            raise _Refused(f"node {facts.node} speaks for another one")
        if not isinstance(to, str) or to not in self._audiences:
            raise _Refused(f"a proof of node {facts.node} for another audience")
        if meant != purpose:
            raise _Refused(f"a proof of node {facts.node} for another purpose than {purpose}")
        if not all(type(at) in (int, float) for at in (issued, ends)) or not isinstance(nonce, str):
            raise _Refused(f"a proof of node {facts.node} with times or a nonce that are none")
        if not 0 <= ends - issued <= LIFE or not 16 <= len(nonce) <= 64:
            raise _Refused(f"a proof of node {facts.node} that is good for too long, or without a nonce")
        now = self._clock()
        if not issued - ALLOWANCE <= now < ends + ALLOWANCE:
            raise _Refused(f"a proof of node {facts.node} of {now - issued:.0f} s ago: it expired, or a clock is wrong")

    def _count(self, claims: Mapping[str, Any], facts: NodeFacts, is_member: IsMember) -> None:
        if not is_member(facts.node):
            raise _Refused(f"node {facts.node} is no member of this cluster", stranger=facts.node)
        now = self._clock()
        if not self._nonces.take(facts.node, claims["jti"], claims["exp"] + ALLOWANCE, now):
            raise _Refused(f"a proof of node {facts.node} that was used before, or too many of them")

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


class _Refused(Exception):
    """Ends a check with its reason."""

    def __init__(self, reason: str, *, stranger: str = "") -> None:
        super().__init__(reason)
        self.stranger = stranger


def _leaf(chain: object) -> x509.Certificate:
    if not isinstance(chain, list) or not 1 <= len(chain) <= 3 or not isinstance(chain[0], str):
        raise _Refused("no certificate")
    try:
        return x509.load_der_x509_certificate(base64.b64decode(chain[0], validate=True))
    except UNREADABLE:
        raise _Refused("no readable certificate") from None
