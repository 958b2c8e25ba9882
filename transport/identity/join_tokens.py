"""Join tokens: what a machine shows to become a node, and by which it knows the cluster that made it.

A token is a JWT that the cluster's authority signed. It says cluster, role, expiry, its own id and the authority's
fingerprint. Whether it is revoked or used up is the cluster's state to say, under that id: the text is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from transport.identity.authority import ClusterCA
from transport.identity.certificates import ROLES, Role
from transport.identity.pair import IdentityError

KIND = "gbnt-join+jwt"
LONGEST = 4096


class TokenRefused(IdentityError):
    """A text that is no join token of this cluster. The text of the error does not repeat it."""


@dataclass(frozen=True, slots=True)
class JoinClaims:
    """What a join token says. `expires_at` is in seconds since the epoch, `fingerprint` the authority's SHA-256."""

    id: str
    cluster: str
    role: Role
    fingerprint: str
    expires_at: float


def issue(ca: ClusterCA, id: str, role: Role, expires_at: float) -> str:
    """The text of a token. `expires_at` is in seconds since the epoch."""
    claims = {"jti": id, "cluster": ca.cluster, "role": role, "exp": int(expires_at), "ca": ca.fingerprint}
    return ca.signed(claims, KIND)


def peek(text: str) -> JoinClaims:
    """What a token says, its signature not looked at: for the machine that joins. Raises TokenRefused.

    It has the text from a person who is trusted, and nobody to ask before it knows the cluster.
    """
    return _claims(text, None)


def verify(text: str, authority: bytes, cluster: str) -> JoinClaims:
    """What a token of this cluster says. `authority` is its certificate as PEM. Raises TokenRefused.

    Expiry is not judged: with uses and revocation it is decided on the state, where all three can be said.
    """
    key = x509.load_pem_x509_certificate(authority).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    claims = _claims(text, key)
    if claims.cluster != cluster:
        raise TokenRefused(
            "this join token is of another cluster: take one of this cluster's, `gbnt legion join-token`"
        )
    return claims


def _claims(text: str, key: ec.EllipticCurvePublicKey | None) -> JoinClaims:
    options = {"verify_signature": key is not None, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        if len(text) > LONGEST or jwt.get_unverified_header(text).get("typ") != KIND:
            raise TokenRefused("this is no join token: `gbnt legion join-token` on a manager makes one")
        claims = jwt.decode(text, cast(Any, key), algorithms=["ES256"], options=cast(Any, options))
    except jwt.InvalidSignatureError:
        raise TokenRefused(
            "this join token was not made by this cluster, or not copied whole: take one of this cluster's, "
            "`gbnt legion join-token` on a manager"
        ) from None
    except (jwt.PyJWTError, UnicodeError):
        raise TokenRefused(
            "this is no join token, or it was not copied whole: `gbnt legion join-token` on a manager makes one"
        ) from None
    return _read(claims)


def _read(claims: Mapping[str, Any]) -> JoinClaims:
    id, cluster, role, ca, expires = (claims.get(name) for name in ("jti", "cluster", "role", "ca", "exp"))
    texts = all(isinstance(text, str) and text for text in (id, cluster, ca))
    if not texts or role not in ROLES or type(expires) not in (int, float):
        raise TokenRefused("this join token lacks something: it may be of another release; make another one")
    return JoinClaims(str(id), str(cluster), cast(Role, role), str(ca), float(cast(float, expires)))
