"""Nodes' keys and certificates, join tokens and proofs: what counts, and what is refused."""

import base64
import json
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.conftest import NOW, Clock
from transport.identity import BACKDATE, NODE_LIFE, ClusterCA, IdentityError
from transport.identity.certificates import CsrRefused, facts_of, key_of
from transport.identity.join_tokens import TokenRefused, issue, peek, verify
from transport.identity.node_keys import NodeKeys
from transport.identity.nonces import Nonces
from transport.identity.proofs import ALLOWANCE, HEADER, KIND, LIFE, SCHEME, TURNED_AWAY, Authenticator, Refusal, proof

MINUTES = 60.0


@pytest.fixture
def keys(tmp_path, clock):
    return NodeKeys(tmp_path / "node", clock)


def joined(keys, ca, node="n1", role="worker"):
    keys.take(ca.sign(keys.request(), node, role), ca.certificate)
    return keys


# -- certificates ------------------------------------------------------------------------------------------------------


def test_a_certificate_says_who_the_node_is_and_how_long(ca, keys):
    made = x509.load_pem_x509_certificate(ca.sign(keys.request(), "n1", "worker"))
    facts, now = facts_of(made), datetime.fromtimestamp(NOW, UTC)
    assert facts is not None
    assert (facts.cluster, facts.node, facts.role) == ("legion", "n1", "worker")
    assert (facts.begins, facts.expires) == (now - BACKDATE, now + NODE_LIFE)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["gbnt://legion/node/n1"]
    assert names.get_values_for_type(x509.DNSName) == ["n1.node.legion.gbnt"]
    assert set(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == {
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SERVER_AUTH,
    }
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_only_a_manager_s_certificate_has_the_manager_s_name(ca, keys):
    made = x509.load_pem_x509_certificate(ca.sign(keys.request(), "n1", "manager"))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "manager.legion.gbnt" in names.get_values_for_type(x509.DNSName)


def test_no_certificate_outlives_its_authority(ca, keys):
    made = x509.load_pem_x509_certificate(ca.sign(keys.request(), "n1", "worker", timedelta(days=40_000)))
    authority = x509.load_pem_x509_certificate(ca.certificate)
    assert made.not_valid_after_utc == authority.not_valid_after_utc


def csr(key=None, signer=None, extensions=()):
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "boss"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x")]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_what_a_request_asks_for_does_not_count(ca):
    asked = csr(
        extensions=[
            x509.BasicConstraints(ca=True, path_length=None),
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier("gbnt://legion/node/boss")]),
        ]
    )
    made = x509.load_pem_x509_certificate(ca.sign(asked, "n1", "worker"))
    facts = facts_of(made)
    assert facts is not None
    assert (facts.node, facts.role) == ("n1", "worker")
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert "boss" not in made.subject.rfc4514_string()


def test_a_key_that_the_request_does_not_possess_is_refused(ca):
    """The signature is another request's: whoever asks has a public key, and not the private one."""
    der = x509.load_pem_x509_csr(csr()).public_bytes(Encoding.DER)
    other = x509.load_pem_x509_csr(csr())
    swapped = der.replace(x509.load_der_x509_csr(der).signature, other.signature)
    if len(swapped) != len(der) or swapped == der:
        swapped = der[:-1] + bytes([der[-1] ^ 1])
    pem = ssl.DER_cert_to_PEM_cert(swapped).replace("CERTIFICATE", "CERTIFICATE REQUEST").encode()
    with pytest.raises(CsrRefused):
        ca.sign(pem, "n1", "worker")


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)], ids=["P-384", "RSA"]
)
def test_keys_of_another_kind_are_refused(ca, key):
    with pytest.raises(CsrRefused, match="P-256"):
        ca.sign(csr(key), "n1", "worker")


@given(st.binary(max_size=300))
def test_no_bytes_for_a_request_do_more_than_be_refused(data):
    with pytest.raises(CsrRefused):
        key_of(data)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_request_that_was_changed_anywhere_is_for_the_same_key_or_refused(place, change):
    pem = CSR
    der = bytearray(x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER))
    der[place % len(der)] ^= change
    text = ssl.DER_cert_to_PEM_cert(bytes(der)).replace("CERTIFICATE", "CERTIFICATE REQUEST").encode()
    try:
        key = key_of(text)
    except CsrRefused:
        return
    assert key == key_of(pem)


KEY = ec.generate_private_key(ec.SECP256R1())
CSR = csr(KEY)
with TemporaryDirectory() as folder:
    AUTHORITY = ClusterCA(Path(folder), "legion", Clock())
SIGNED = AUTHORITY.sign(CSR, "n1", "worker")
DOOR = Authenticator(AUTHORITY.certificate, "legion", {"m1"}, Clock())


@pytest.mark.parametrize("node", ["", "N1", "a/b", "a.b", "x" * 64, "-a", "n1\n", "*"])
def test_what_is_no_id_is_not_certified(ca, node):
    with pytest.raises(IdentityError, match="is no id"):
        ca.sign(csr(), node, "worker")
    with pytest.raises(IdentityError, match="no role"):
        ca.sign(csr(), "n1", "boss")


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_node_s_files_are_its_owner_s_alone_and_whole(keys, ca, tmp_path):
    keys.request()
    assert not keys.path.exists()
    joined(keys, ca)
    folder = tmp_path / "node"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {"node.pem": 0o600}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(keys.path)
    assert keys.authority == ca.certificate
    assert keys.path.read_bytes().count(b"PRIVATE KEY-----\n") == 2


def test_a_node_finds_its_keys_again(keys, ca, tmp_path, clock):
    joined(keys, ca)
    again = NodeKeys(tmp_path / "node", clock)
    assert again.facts == keys.facts
    assert again.authority == ca.certificate


def test_a_request_is_for_the_same_key_until_it_is_answered(keys, ca, tmp_path, clock):
    first = key_of(keys.request())
    assert key_of(NodeKeys(tmp_path / "node", clock).request()) == first
    joined(keys, ca)
    assert key_of(keys.request()) != first


def test_half_of_its_life_is_when_to_renew(keys, ca, clock):
    assert keys.is_due()
    joined(keys, ca)
    first = keys.facts
    assert keys.renew_at == NOW + ((NODE_LIFE - BACKDATE) / 2).total_seconds()
    clock.now = keys.renew_at - 1
    assert not keys.is_due()
    clock.now = keys.renew_at + 1
    assert keys.is_due()
    joined(keys, ca)
    assert not keys.is_due()
    assert keys.facts.serial != first.serial


def test_a_certificate_that_is_not_this_key_s_changes_nothing(keys, ca, tmp_path, clock):
    joined(keys, ca)
    before = keys.path.read_bytes()
    foreign = ClusterCA(tmp_path / "foreign", "legion", clock)
    request = keys.request()
    for certificate, authority in (
        (ca.sign(csr(), "n1", "worker"), ca.certificate),
        (ca.sign(request, "n2", "worker"), ca.certificate),
        (foreign.sign(request, "n1", "worker"), foreign.certificate),
        (foreign.sign(request, "n1", "worker"), ca.certificate),
        (b"rubbish", ca.certificate),
        (ca.certificate, ca.certificate),
    ):
        with pytest.raises(IdentityError) as refused:
            keys.take(certificate, authority)
        assert "BEGIN" not in str(refused.value)
    assert keys.path.read_bytes() == before


@pytest.mark.parametrize("wrong", [-2 * 86_400.0, 40 * 86_400.0])
def test_a_clock_that_is_days_wrong_is_told(keys, ca, clock, wrong):
    certificate = ca.sign(keys.request(), "n1", "worker")
    clock.now += wrong
    with pytest.raises(IdentityError, match="set the clock"):
        keys.take(certificate, ca.certificate)


@pytest.mark.parametrize("wrong", [-10 * MINUTES, 10 * MINUTES])
def test_a_clock_that_is_minutes_wrong_does_not_matter(keys, ca, clock, wrong):
    certificate = ca.sign(keys.request(), "n1", "worker")
    clock.now += wrong
    assert keys.take(certificate, ca.certificate).node == "n1"


def test_a_crash_between_the_two_files_is_in_nobody_s_way(keys, ca, tmp_path, clock):
    keys.request()
    waiting = (tmp_path / "node" / "node.key").read_bytes()
    joined(keys, ca)
    (tmp_path / "node" / "node.key").write_bytes(waiting)
    again = NodeKeys(tmp_path / "node", clock)
    pem = again.path.read_bytes()
    assert key_of(again.request()) != x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERT") :]).public_key()


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_damaged_keys_are_a_sentence(keys, ca, tmp_path, clock, content):
    joined(keys, ca).path.write_bytes(content)
    with pytest.raises(IdentityError, match="restore it from a backup"):
        NodeKeys(tmp_path / "node", clock)
    (tmp_path / "node" / "node.key").write_bytes(content)
    keys.path.unlink()
    assert key_of(NodeKeys(tmp_path / "node", clock).request()) is not None


def test_without_a_certificate_nothing_is_proven(keys):
    with pytest.raises(IdentityError, match="gbnt legion join"):
        proof(keys, "m1", "link")


# -- join tokens -------------------------------------------------------------------------------------------------------


def test_a_token_says_what_it_was_made_for(ca):
    text = issue(ca, "t1", "worker", NOW + 3600)
    claims = verify(text, ca.certificate, "legion")
    assert claims == peek(text)
    assert (claims.id, claims.cluster, claims.role, claims.fingerprint, claims.expires_at) == (
        "t1",
        "legion",
        "worker",
        ca.fingerprint,
        NOW + 3600,
    )


def test_a_token_of_another_authority_or_cluster_is_refused(ca, tmp_path, clock):
    foreign = ClusterCA(tmp_path / "foreign", "legion", clock)
    with pytest.raises(TokenRefused, match="not made by this cluster"):
        verify(issue(foreign, "t1", "manager", NOW), ca.certificate, "legion")
    with pytest.raises(TokenRefused, match="another cluster"):
        verify(issue(ca, "t1", "manager", NOW), ca.certificate, "other")


def forged(ca, **header):
    claims = {"jti": "t1", "cluster": "legion", "role": "manager", "exp": int(NOW), "ca": ca.fingerprint}
    return [
        jwt.encode(claims, "", algorithm="none", headers={"typ": "gbnt-join+jwt"}),
        jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"typ": "gbnt-join+jwt"}),
        ca.signed(claims, "JWT"),
        ca.signed({**claims, "role": "boss"}, "gbnt-join+jwt"),
        ca.signed({"jti": "t1"}, "gbnt-join+jwt"),
    ]


def test_forged_and_foreign_kinds_of_tokens_are_refused_and_not_repeated(ca):
    good = issue(ca, "t1", "worker", NOW)
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    raised = base64.urlsafe_b64encode(json.dumps({**claims, "role": "manager"}).encode()).decode().rstrip("=")
    for text in [*forged(ca), f"{head}.{raised}.{signature}", good[:-10], good + "x" * 5000, "", "a.b.c", "röm"]:
        with pytest.raises(TokenRefused) as refused:
            verify(text, ca.certificate, "legion")
        assert not text or text not in str(refused.value)


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_for_a_token_does_more_than_be_refused(text):
    with pytest.raises(TokenRefused):
        peek(text)


# -- proofs ------------------------------------------------------------------------------------------------------------


def everybody(node):
    return True


@pytest.fixture
def door(ca, clock):
    return Authenticator(ca.certificate, "legion", {"m1", "legion"}, clock)


def reason(outcome):
    assert isinstance(outcome, Refusal), outcome
    assert outcome.said == TURNED_AWAY
    return outcome.reason


@pytest.mark.parametrize("audience", ["m1", "legion"])
def test_a_proof_tells_who_comes(door, keys, ca, clock, audience):
    facts = joined(keys, ca).facts
    peer = door.authenticate(proof(keys, audience, "link", clock), "link", everybody)
    assert (peer.node, peer.role, peer.serial) == ("n1", "worker", facts.serial)
    assert peer.expires_at == facts.expires.timestamp()


@pytest.mark.parametrize("wrong", [-10 * MINUTES, 10 * MINUTES])
def test_a_proof_of_a_clock_that_is_minutes_wrong_is_taken(door, keys, ca, clock, wrong):
    joined(keys, ca)
    assert not isinstance(door.authenticate(proof(keys, "m1", "link", lambda: NOW + wrong), "link", everybody), Refusal)


def test_a_proof_counts_once_and_for_a_while(door, keys, ca, clock):
    joined(keys, ca)
    headers = proof(keys, "m1", "link", clock)
    clock.now += LIFE + ALLOWANCE - 1
    assert not isinstance(door.authenticate(headers, "link", everybody), Refusal)
    assert "used before" in reason(door.authenticate(headers, "link", everybody))
    late = proof(keys, "m1", "link", lambda: NOW)
    clock.now += 2
    assert "expired" in reason(door.authenticate(late, "link", everybody))
    assert "expired" in reason(door.authenticate(proof(keys, "m1", "link", lambda: clock.now + 901), "link", everybody))


def test_a_proof_for_another_is_not_passed_on(door, keys, ca, clock):
    joined(keys, ca)
    assert "another audience" in reason(door.authenticate(proof(keys, "m2", "link", clock), "link", everybody))


def test_a_proof_is_good_for_its_purpose_alone(door, keys, ca, clock):
    joined(keys, ca)
    headers = proof(keys, "legion", "knock", clock)
    for purpose in ("leave", "renew", "link", "place"):
        assert f"another purpose than {purpose}" in reason(door.authenticate(headers, purpose, everybody))
    assert not isinstance(door.authenticate(headers, "knock", everybody), Refusal)


def test_a_foreign_authority_is_refused(door, tmp_path, clock, keys):
    joined(keys, ClusterCA(tmp_path / "foreign", "legion", clock))
    assert "foreign authority" in reason(door.authenticate(proof(keys, "m1", "link", clock), "link", everybody))


def test_an_expired_certificate_is_refused(door, keys, ca, clock):
    joined(keys, ca)
    clock.now += NODE_LIFE.total_seconds()
    assert "is good from" in reason(door.authenticate(proof(keys, "m1", "link", clock), "link", everybody))


def test_a_node_that_was_removed_is_refused_though_its_certificate_is_good(door, keys, ca, clock):
    joined(keys, ca)
    assert "n1 is no member" in reason(
        door.authenticate(proof(keys, "m1", "link", clock), "link", lambda node: node != "n1")
    )


def test_a_server_s_certificate_is_no_node_s(door, ca, clock, keys):
    pem = ca.server_certificate([], []).read_bytes()
    certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERT") :])
    joined(keys, ca)
    text = jwt.encode(
        {"iss": "n1", "aud": "m1", "purpose": "link", "iat": int(NOW), "exp": int(NOW) + 60, "jti": "x" * 20},
        key_from(pem),
        algorithm="ES256",
        headers={"typ": KIND, "x5c": [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()]},
    )
    assert "no node's" in reason(door.authenticate({HEADER: f"{SCHEME} {text}"}, "link", everybody))


def key_from(pem):
    return load_pem_private_key(pem, None)


def claims(**changed):
    return {
        "iss": "n1",
        "aud": "m1",
        "purpose": "link",
        "iat": int(NOW),
        "exp": int(NOW) + 60,
        "jti": "x" * 20,
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "n2"}, "speaks for another"),
        ({"aud": ["m1"]}, "another audience"),
        ({"purpose": ["link"]}, "another purpose"),
        ({"purpose": None}, "readable"),
        ({"exp": int(NOW) + 3600}, "too long"),
        ({"exp": int(NOW) - 1}, "too long"),
        ({"jti": "short"}, "without a nonce"),
        ({"iat": "now"}, "times"),
        ({"iat": True}, "times"),
        ({"jti": None}, "readable"),
    ],
)
def test_a_proof_that_says_something_else_is_refused(door, keys, ca, changed, why):
    joined(keys, ca)
    text = keys.signed(claims(**changed), KIND)
    assert why in reason(door.authenticate({HEADER: f"{SCHEME} {text}"}, "link", everybody))


def test_a_proof_that_was_changed_is_refused(door, keys, ca, clock):
    joined(keys, ca)
    text = proof(keys, "m1", "link", clock)[HEADER].removeprefix(f"{SCHEME} ")
    head, body, signature = text.split(".")
    other = keys.signed(claims(jti="y" * 20), KIND).split(".")
    for changed, why in (
        (f"{head}.{other[1]}.{signature}", "signature"),
        (f"{head}.{body}.{other[2]}", "signature"),
        (keys.signed(claims(), "JWT"), "another kind"),
        ("a.b.c", "readable"),
        ("x" * 10_000, "characters"),
    ):
        assert why in reason(door.authenticate({HEADER: f"{SCHEME} {changed}"}, "link", everybody))
    header = {**jwt.get_unverified_header(text), "alg": "none"}
    unsigned = jwt.encode(claims(), "", algorithm="none", headers=header)
    reason(door.authenticate({HEADER: f"{SCHEME} {unsigned}"}, "link", everybody))


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"authorization": "Bearer gbnt_a_b"}])
def test_no_proof_is_no_proof(door, headers):
    assert reason(door.authenticate(headers, "link", everybody)) == "no proof"


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode() + ".."))
def test_no_text_for_a_proof_does_more_than_be_refused(text):
    reason(DOOR.authenticate({"Authorization": f"{SCHEME} {text}"}, "link", everybody))


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_certificate_passes_with_a_change_in_what_was_signed(place, change):
    whole = x509.load_pem_x509_certificate(SIGNED)
    der = bytearray(whole.public_bytes(Encoding.DER))
    der[place % len(der)] ^= change
    chain = [base64.b64encode(bytes(der)).decode()]
    text = jwt.encode(claims(), KEY, algorithm="ES256", headers={"typ": KIND, "x5c": chain})
    outcome = DOOR.authenticate({"Authorization": f"{SCHEME} {text}"}, "link", everybody)
    if not isinstance(outcome, Refusal):  # the outer name of the algorithm, say, is no part of what was signed
        assert x509.load_der_x509_certificate(bytes(der)).tbs_certificate_bytes == whole.tbs_certificate_bytes


def test_nonces_are_bounded_for_each_peer_and_forgotten_when_they_are_worthless():
    nonces = Nonces(most_of_one=2)
    assert nonces.take("a", "1", 10.0, 0.0)
    assert nonces.take("a", "2", 20.0, 0.0)
    assert not nonces.take("a", "3", 20.0, 5.0)
    assert nonces.take("b", "1", 20.0, 5.0)
    assert nonces.take("a", "3", 20.0, 11.0)
    assert not nonces.take("a", "2", 30.0, 11.0)
