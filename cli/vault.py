"""Seals sign-ins to registries by a key of the cluster's authority: who has the state alone cannot open them."""

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
_NONCE = 12


class AuthorityVault:
    """Implements `actors.keyring.Vault`. A backup has the authority: a manager rebuilt from it opens them too."""

    def __init__(self, authority: ClusterCA) -> None:
        self._cipher = ChaCha20Poly1305(authority.derived(PURPOSE))

    def seal(self, registry: str, stack: str, credential: Credential) -> str:
        """See `actors.keyring.Vault`."""
        nonce = os.urandom(_NONCE)
        secret = orjson.dumps([credential.username, credential.password])
        return b64encode(nonce + self._cipher.encrypt(nonce, secret, login_key(registry, stack).encode())).decode()

    def open(self, login: RegistryLogin) -> Credential:
        """See `actors.keyring.Vault`."""
        try:
            sealed = b64decode(login.sealed)
            username, password = orjson.loads(
                self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], login.key.encode())
            )
        except (InvalidTag, ValueError) as error:
            raise Unopened(
                f"the sign-in to {login.registry} that is kept was sealed by another authority: sign in anew by "
                f"`gbnt registry login {login.registry}`"
            ) from error
        return Credential(username, password)
