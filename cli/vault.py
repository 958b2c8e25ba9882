"""Seals what is secret in the state by a key of the cluster's authority: who has the state alone cannot open it."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from actors.keyring import Unopened
from cluster.model import RegistryLogin
from cluster.registries import Credential, login_key
from transport.identity import ClusterCA

PURPOSE = "sign-ins to registries"
SOURCES = "sources of stacks"
_NONCE = 12


class AuthorityVault:
    """Implements `actors.keyring.Vault`. A backup has the authority: a manager rebuilt from it opens them too."""

    def __init__(self, authority: ClusterCA) -> None:
        self._logins = ChaCha20Poly1305(authority.derived(PURPOSE))
        self._texts = ChaCha20Poly1305(authority.derived(SOURCES))

    def seal(self, registry: str, stack: str, credential: Credential) -> str:
        """See `actors.keyring.Vault`."""
        secret = orjson.dumps([credential.username, credential.password])
        return _sealed(self._logins, login_key(registry, stack), secret)

    def open(self, login: RegistryLogin) -> Credential:
        """See `actors.keyring.Vault`."""
        try:
            username, password = orjson.loads(_opened(self._logins, login.key, login.sealed))
        except (InvalidTag, ValueError) as error:
            raise Unopened(
                f"the sign-in to {login.registry} that is kept was sealed by another authority: sign in anew by "
                f"`gbnt registry login {login.registry}`"
            ) from error
        return Credential(username, password)

    def lock(self, place: str, text: str) -> str:
        """See `actors.keyring.Vault`."""
        return _sealed(self._texts, place, text.encode())

    def unlock(self, place: str, sealed: str) -> str:
        """See `actors.keyring.Vault`."""
        try:
            return _opened(self._texts, place, sealed).decode()
        except (InvalidTag, ValueError) as error:
            raise Unopened(f"the {place} that are kept were sealed by another authority: deploy it again") from error


def _sealed(cipher: ChaCha20Poly1305, place: str, secret: bytes) -> str:
    nonce = os.urandom(_NONCE)
    return b64encode(nonce + cipher.encrypt(nonce, secret, place.encode())).decode()


def _opened(cipher: ChaCha20Poly1305, place: str, text: str) -> bytes:
    sealed = b64decode(text)
    return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
