"""Bearer tokens: `gbnt_<id>_<secret>`, of which the cluster keeps only a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cluster.model import Token

PREFIX = "gbnt"


@dataclass(frozen=True, slots=True)
class Credential:
    """A token in its owner's hands. `secret` has 256 random bits and is in no `repr`."""

    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """What its owner sends."""
        return f"{PREFIX}_{self.id}_{self.secret}"

    @property
    def hash(self) -> str:
        """What is kept of it. A plain hash is enough for 256 random bits: there is nothing to guess."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


def new_credential() -> Credential:
    """A credential that never was before."""
    return Credential(secrets.token_hex(4), secrets.token_urlsafe(32))


def parse(text: str) -> Credential | None:
    """The credential that a client sent, or None where it is none."""
    prefix, _, rest = text.partition("_")
    id, _, secret = rest.partition("_")
    return Credential(id, secret) if prefix == PREFIX and id and secret else None


def is_valid(credential: Credential, token: Token, now: float) -> bool:
    """Whether the secret is this token's, and the token has not expired."""
    return hmac.compare_digest(credential.hash, token.hash) and not has_expired(token, now)


def has_expired(token: Token, now: float) -> bool:
    """Whether its time is over."""
    return bool(token.expires_at) and now >= token.expires_at
