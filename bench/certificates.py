"""An authority and node certificates for a benchmark between processes, and the two TLS contexts of a node."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def issue(folder: Path, nodes: tuple[str, ...]) -> None:
    """Write `ca.pem` and, for each node, `NODE.pem` with its key and certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    authority = _builder(name, name, key).add_extension(x509.BasicConstraints(True, 0), True).sign(key, hashes.SHA256())
    (folder / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    for node in nodes:
        own = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node)])
        names = x509.SubjectAlternativeName([x509.DNSName(node), x509.IPAddress(ip_address("127.0.0.1"))])
        certificate = _builder(subject, name, own).add_extension(names, False).sign(key, hashes.SHA256())
        pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{node}.pem").write_bytes(pem + certificate.public_bytes(Encoding.PEM))


def server_tls(folder: Path, node: str) -> ssl.SSLContext:
    """TLS 1.3 and a certificate of every client."""
    context = _context(ssl.PROTOCOL_TLS_SERVER, folder, node)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    return context


def client_tls(folder: Path, node: str) -> ssl.SSLContext:
    """TLS 1.3 with the node's own certificate."""
    return _context(ssl.PROTOCOL_TLS_CLIENT, folder, node)


def _context(protocol: int, folder: Path, node: str) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(folder / f"{node}.pem")
    context.load_verify_locations(folder / "ca.pem")
    return context


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
