"""Certificates as this cluster writes and reads them: the authority's, a server's, a node's.

A node's certificate says who it is three times over: common name NODE, organisation CLUSTER, unit ROLE; the URI
`gbnt://CLUSTER/node/NODE`; and names of DNS that no resolver knows, `NODE.node.CLUSTER.gbnt` and for a manager
`manager.CLUSTER.gbnt`. Whoever dials a manager checks for the last one, whatever address the manager has: a worker's
certificate is of the same authority, and must not pass for a manager's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal, get_args

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from transport.identity.pair import UNREADABLE, IdentityError

Role = Literal["manager", "worker"]
ROLES: tuple[Role, ...] = get_args(Role)

NODE_LIFE = timedelta(days=30)
# Machines whose clocks are a little behind must not find a fresh certificate not yet valid.
BACKDATE = timedelta(days=1)

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class CsrRefused(IdentityError):
    """A request for a certificate that none is given for."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node's certificate says. `begins` and `expires` are in UTC, `serial` is hex."""

    cluster: str
    node: str
    role: Role
    serial: str
    begins: datetime
    expires: datetime


def node_name(cluster: str, node: str) -> str:
    """The name that this node's certificate has, and no other."""
    return f"{node}.node.{cluster}.gbnt"


def manager_name(cluster: str) -> str:
    """The name that each manager's certificate has, and no worker's."""
    return f"manager.{cluster}.gbnt"


def key_of(csr: bytes) -> ec.EllipticCurvePublicKey:
    """The key that a request (PEM) proves to possess. Nothing else that it asks for counts. Raises CsrRefused."""
    again = "; make the request anew with this release's gbnt"
    try:
        request = x509.load_pem_x509_csr(csr)
        key = request.public_key()
        proven = request.is_signature_valid
    except UNREADABLE as error:
        raise CsrRefused(f"this is no request for a certificate ({type(error).__name__}){again}") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CsrRefused(f"a node's key must be of the curve P-256{again}")
    if not proven:
        raise CsrRefused(f"the request is not signed by the key that it names{again}")
    return key


def node_names(cluster: str, node: str, role: Role) -> x509.SubjectAlternativeName:
    """The names of a node. Raises IdentityError for an id that is no name, and for what is no role."""
    for what, text in (("cluster", cluster), ("node", node)):
        if not _LABEL.fullmatch(text):
            raise IdentityError(f"the {what}'s id {text[:64]!r} is no id: it must be of small letters, digits and -")
    if role not in ROLES:
        raise IdentityError(f"{role!r} is no role: a node is a manager or a worker")
    names = [node_name(cluster, node), *([manager_name(cluster)] if role == "manager" else [])]
    return x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(f"gbnt://{cluster}/node/{node}"), *map(x509.DNSName, names)]
    )


def node_subject(cluster: str, node: str, role: Role) -> x509.Name:
    """The subject of a node's certificate."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, cluster),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role),
            x509.NameAttribute(NameOID.COMMON_NAME, node),
        ]
    )


def facts_of(certificate: x509.Certificate) -> NodeFacts | None:
    """What a node's certificate says of it; None for one that is no node's, or that says two things."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        (cluster,), (role,), (node,) = (
            certificate.subject.get_attributes_for_oid(oid)
            for oid in (NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME)
        )
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (*UNREADABLE, x509.ExtensionNotFound):
        return None
    if uris != [f"gbnt://{cluster.value!s}/node/{node.value!s}"] or role.value not in ROLES:
        return None
    if ExtendedKeyUsageOID.CLIENT_AUTH not in uses:
        return None
    return NodeFacts(
        str(cluster.value),
        str(node.value),
        role.value,
        serial_of(certificate),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def serial_of(certificate: x509.Certificate) -> str:
    """Its serial number as hex."""
    return f"{certificate.serial_number:x}"


def is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the authority signed it."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def half_life(certificate: x509.Certificate) -> datetime:
    """When half of its life is over."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begin + (end - begin) / 2


def plain_name(text: str) -> x509.Name:
    """A subject of a common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def alternatives(hosts: Iterable[str]) -> x509.SubjectAlternativeName:
    """Hosts, each a name or an address."""
    return x509.SubjectAlternativeName([_alternative(host) for host in sorted(set(hosts))])


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """What a key may do: sign certificates, or else prove itself."""
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


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode())
