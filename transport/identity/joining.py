"""How a machine becomes a node: it makes sure of the cluster before it says anything secret.

1. A TLS handshake that trusts nobody and sends nothing: the manager shows its authority's certificate.
2. That one's fingerprint is the token's, or it is not the cluster that made the token.
3. A new connection that trusts this authority alone, and only a manager's certificate: token and request go there.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from transport.identity.certificates import manager_name, node_name
from transport.identity.join_tokens import JoinClaims, peek
from transport.identity.node_keys import NodeKeys
from transport.identity.pair import IdentityError
from transport.identity.proofs import Purpose, proof

TIMEOUT = 15.0
LARGEST_ANSWER = 1 << 20

CHECK = "check the address (--manager)"
GONE = "where that one is gone for good, `sudo gbnt legion leave --force` makes this machine free to join again"

NOT_YET_VALID, EXPIRED = 9, 10  # OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED


class JoinFailed(IdentityError):
    """It did not come to it; `status` is the manager's where it answered no, else 0."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Address:
    """Where a manager's API answers."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Manager:
    """A manager as the cluster tells of it: `port` is the one for links between nodes."""

    node: str
    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a manager answered; the certificate is not kept yet. `certificate` and `authority` are PEM."""

    cluster: str
    node: str
    name: str
    role: str
    certificate: bytes
    authority: bytes
    managers: tuple[Manager, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A node's keys, which have a certificate, and the node that manages it.

    It proves itself to nobody else, whatever certificate of the cluster that one may have.
    """

    keys: NodeKeys = field(repr=False)
    manager: str


@dataclass(frozen=True, slots=True)
class Knocked:
    """What a manager met at `target`: the address that it was asked from, and its link port.

    `reason` says why nobody was reached. `name_taken` where another node is called as this one would be.
    """

    target: Address
    reached: bool
    reason: str
    name_taken: bool


def join(keys: NodeKeys, token: str, manager: Address, name: str, address: str, version: str) -> Admitted:
    """Have this machine admitted as a node. `name` and `address` are what it would be called and reached by.

    `keys.take` then keeps the certificate. Done again before that, it is answered alike and uses the token once.
    Raises JoinFailed or TokenRefused with what to do next; nothing secret was sent where the cluster is another one.
    """
    claims = peek(token)
    authority = authority_of(manager, claims.fingerprint)
    body = {
        "token": token,
        "csr": keys.request().decode(),
        "name": name,
        "address": address,
        "version": version,
    }
    answer = _ask(manager, _by_token(claims, authority), "/v1/join", body, {})
    admitted = _admitted(answer, manager, authority)
    return _expected(admitted, claims, manager)


def renew(member: Member, manager: Address) -> Admitted:
    """A certificate for this node's next key, by a proof with its present one. `keys.take` then keeps it.

    Raises JoinFailed with what to do next.
    """
    body = {"csr": member.keys.request().decode()}
    return _admitted(_ask_as_node(member, manager, "renew", body), manager, member.keys.authority)


def knock(manager: Address, credential: str | Member, name: str) -> Knocked:
    """Have a manager try to connect to this machine. `credential` is a join token, or what a member has.

    Raises JoinFailed or TokenRefused with what to do next.
    """
    if isinstance(credential, Member):
        told = _ask_as_node(credential, manager, "knock", {"token": "", "name": name})
    else:
        claims = peek(credential)
        authority = authority_of(manager, claims.fingerprint)
        body = {"token": credential, "name": name}
        told = _ask(manager, _by_token(claims, authority), "/v1/knock", body, {})
    try:
        address, port = str(told["address"]), int(told["port"])
        return Knocked(Address(address, port), bool(told["reached"]), str(told["reason"]), bool(told["name_taken"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _lacking(manager, error) from error


def leave(member: Member, manager: Address, *, force: bool) -> Mapping[str, Any]:
    """Ask to be no node any more, by a proof with this node's certificate: to be asked again until `left`.

    The answer's `leaving` is what has not left this machine yet. By `force` it is forgotten at once. Raises JoinFailed
    with what to do next.
    """
    return _ask_as_node(member, manager, "leave", {"force": force})


def authority_of(manager: Address, fingerprint: str) -> bytes:
    """The certificate (PEM) with this SHA-256 that the manager shows in a handshake. Raises JoinFailed."""
    authority = authority_among(shown_by(manager), fingerprint)
    if authority is not None:
        return authority.encode()
    raise JoinFailed(
        f"this is not the cluster that made the token: nothing at {manager} has the authority whose fingerprint begins "
        f"with {fingerprint[:12]}; check --manager, or take a token of that cluster's, `gbnt legion join-token`"
    )


def authority_among(certificates: Iterable[bytes], fingerprint: str) -> str | None:
    """Of certificates (DER) the one with this SHA-256, as PEM; None where it is not among them."""
    digests = {hashlib.sha256(certificate).hexdigest(): certificate for certificate in certificates}
    return ssl.DER_cert_to_PEM_cert(digests[fingerprint]) if fingerprint in digests else None


def shown_by(manager: Address) -> list[bytes]:
    """The certificates (DER) that a manager shows in a handshake, its authority's last. Raises JoinFailed.

    Nothing but the handshake is sent, and nobody is trusted for it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((manager.host, manager.port), TIMEOUT) as plain,
            context.wrap_socket(plain) as tls,
        ):
            return _shown(tls)
    except OSError as error:
        raise _unreached(manager, error) from error


def _shown(tls: ssl.SSLSocket) -> list[bytes]:
    """The chain as the peer sent it, in DER. `ssl` has had it since Python 3.10, and shown it since 3.13."""
    public: Any = getattr(tls, "get_unverified_chain", None)
    if public is not None:
        return list(public())
    inner: Any = tls
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in inner._sslobj.get_unverified_chain() or ()]


@dataclass(frozen=True, slots=True)
class _Trust:
    """Whom a manager has to be: its certificate is of this authority (PEM) and for this name, whatever its address is.

    `who` says that to a person, `else_do` what to do where somebody else answers.
    """

    authority: bytes
    name: str
    who: str
    else_do: str


def _by_token(claims: JoinClaims, authority: bytes) -> _Trust:
    return _Trust(authority, manager_name(claims.cluster), "no manager of the cluster that made the token", CHECK)


def _as_member(member: Member, cluster: str) -> _Trust:
    name = node_name(cluster, member.manager)
    return _Trust(member.keys.authority, name, "not the manager of this node", f"{CHECK}; {GONE}")


class _Pinned(http.client.HTTPConnection):
    """Trusts as it is told, and nobody else."""

    def __init__(self, manager: Address, trust: _Trust) -> None:
        super().__init__(manager.host, manager.port, timeout=TIMEOUT)
        self._name = trust.name
        self._trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._trust.minimum_version = ssl.TLSVersion.TLSv1_3
        self._trust.load_verify_locations(cadata=trust.authority.decode())

    def connect(self) -> None:
        super().connect()
        self.sock = self._trust.wrap_socket(self.sock, server_hostname=self._name)


def _ask_as_node(member: Member, manager: Address, what: Purpose, body: Mapping[str, object]) -> Mapping[str, Any]:
    facts = member.keys.facts
    assert facts is not None
    headers = proof(member.keys, facts.cluster, what)
    return _ask(manager, _as_member(member, facts.cluster), f"/v1/{what}", body, headers)


def _ask(
    manager: Address, trust: _Trust, path: str, body: Mapping[str, object], headers: Mapping[str, str]
) -> Mapping[str, Any]:
    connection = _Pinned(manager, trust)
    try:
        connection.request(
            "POST",
            path,
            json.dumps(body).encode(),
            {"content-type": "application/json", "connection": "close", **headers},
        )
        answer = connection.getresponse()
        status, content = answer.status, answer.read(LARGEST_ANSWER)
    except ssl.SSLCertVerificationError as error:
        raise _distrusted(manager, trust, error) from error
    except (OSError, http.client.HTTPException) as error:
        raise _unreached(manager, error) from error
    finally:
        connection.close()
    return _document(manager, status, content)


def _document(manager: Address, status: int, content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise JoinFailed(f"{manager} answered {status} and no JSON: is that the port of gbnt's API (4000)?", status)
    if status >= 300:
        detail = str(document.get("detail") or f"it answered {status}")
        if status == 404:
            detail = "it is of an older release that takes no nodes: upgrade gbnt there first"
        raise JoinFailed(f"the manager at {manager} refused: {detail}", status)
    return document


def _admitted(document: Mapping[str, Any], manager: Address, authority: bytes) -> Admitted:
    try:
        managers = tuple(
            Manager(str(one["node"]), str(one["name"]), str(one["address"]), int(one["port"]))
            for one in document["managers"]
        )
        cluster, node, name, role, certificate = (
            str(document[key]) for key in ("cluster", "node", "name", "role", "certificate")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _lacking(manager, error) from error
    # The authority is the one that was pinned, whatever the answer says.
    return Admitted(cluster, node, name, role, certificate.encode(), authority, managers)


def _expected(admitted: Admitted, claims: JoinClaims, manager: Address) -> Admitted:
    if (admitted.cluster, admitted.role) != (claims.cluster, claims.role):
        raise JoinFailed(f"{manager} answered for another cluster or role than the token's: make another token")
    return admitted


def _lacking(manager: Address, error: Exception) -> JoinFailed:
    return JoinFailed(f"the answer of {manager} lacks something: is it of the same release? ({error})")


def _distrusted(manager: Address, trust: _Trust, error: ssl.SSLCertVerificationError) -> JoinFailed:
    if error.verify_code in (NOT_YET_VALID, EXPIRED):
        return JoinFailed(
            f"by this machine's clock the certificate of {manager} is not yet or no longer good: set the clock here "
            "and there (`timedatectl set-ntp true`), and try again"
        )
    return JoinFailed(f"what answers at {manager} is {trust.who} ({error.verify_message}): {trust.else_do}")


def _unreached(manager: Address, error: Exception) -> JoinFailed:
    if isinstance(error, ssl.SSLError):
        return JoinFailed(f"{manager} does not speak TLS as gbnt's API does ({error.reason}): is that its port (4000)?")
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return JoinFailed(
        f"no manager answers at {manager} ({why}): see that `gbnt serve` runs there, and that a firewall lets this "
        "port through"
    )
