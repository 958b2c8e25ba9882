"""The cluster's authority behind the portal's port: lets machines join, and nodes renew."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portal.gate import Certified, NotAdmitted, Purpose
from transport.identity import ClusterCA, Role
from transport.identity.certificates import CsrRefused, key_of, serial_of
from transport.identity.join_tokens import TokenRefused, issue, verify
from transport.identity.proofs import Authenticator, Refusal


class AuthorityGate:
    """See `portal.gate.Gate`. `api` is where others reach its API."""

    def __init__(self, ca: ClusterCA, api: str, link_port: int, clock: Callable[[], float]) -> None:
        self._ca = ca
        self._api = api
        self._link_port = link_port
        self._authenticator = Authenticator(ca.certificate, ca.cluster, {ca.cluster}, clock)

    @property
    def authority(self) -> str:
        """The authority's certificate as PEM."""
        return self._ca.certificate.decode()

    @property
    def api(self) -> str:
        """Where others reach this manager's API."""
        return self._api

    @property
    def link_port(self) -> int:
        """The port of the links between nodes."""
        return self._link_port

    def issue(self, id: str, role: Role, expires_at: float) -> str:
        """The text of a join token."""
        return issue(self._ca, id, role, expires_at)

    def token_id(self, token: str) -> str:
        """The id of a join token of this cluster. Raises NotAdmitted."""
        try:
            return verify(token, self._ca.certificate, self._ca.cluster).id
        except TokenRefused as error:
            raise NotAdmitted(str(error)) from None

    def key_of(self, csr: str) -> str:
        """The fingerprint of the key that a request proves to possess. Raises NotAdmitted."""
        try:
            key = key_of(csr.encode())
        except (CsrRefused, UnicodeError) as error:
            raise NotAdmitted(str(error) if isinstance(error, CsrRefused) else "the request is no text") from None
        return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()

    def sign(self, csr: str, node: str, role: Role) -> Certified:
        """A certificate for a request that `key_of` took."""
        pem = self._ca.sign(csr.encode(), node, role)
        certificate = x509.load_pem_x509_certificate(pem)
        return Certified(pem.decode(), serial_of(certificate), certificate.not_valid_after_utc.timestamp())

    def prove(self, headers: Mapping[str, str], purpose: Purpose, is_member: Callable[[str], bool]) -> str:
        """The id of the node whose proof the headers hold. Raises NotAdmitted."""
        outcome = self._authenticator.authenticate(headers, purpose, is_member)
        if isinstance(outcome, Refusal):
            raise NotAdmitted(outcome.said, outcome.reason)
        return outcome.node
