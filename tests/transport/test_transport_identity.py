"""The cluster's certificate authority and its server certificates."""

import hashlib
import ssl
import stat
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509

from tests.transport.conftest import NOW
from transport.identity import BACKDATE, SERVER_LIFE, ClusterCA, IdentityError


def loaded(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_authority_is_made_once_and_found_again(ca, tmp_path, clock):
    assert ClusterCA(tmp_path / "pki", "legion", clock).certificate == ca.certificate
    assert ClusterCA(tmp_path / "other", "legion", clock).certificate != ca.certificate


def test_keys_are_their_owner_s_alone(ca, tmp_path):
    ca.server_certificate([], [])
    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "pki").iterdir()} == {
        "ca.pem": 0o600,
        "server.pem": 0o600,
    }


def test_the_fingerprint_is_that_of_the_certificate_and_no_key_is_handed_out(ca):
    assert ca.fingerprint == hashlib.sha256(ssl.PEM_cert_to_DER_cert(ca.certificate.decode())).hexdigest()
    assert b"PRIVATE" not in ca.certificate


def test_a_server_is_named_as_asked_and_as_this_machine(ca):
    names = loaded(ca.server_certificate(["röm"], ["192.0.2.5"])).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert set(names.value.get_values_for_type(x509.DNSName)) == {
        "localhost",
        "xn--rm-fka",
        "manager.legion.gbnt",
    }
    assert set(names.value.get_values_for_type(x509.IPAddress)) == {
        ip_address(address) for address in ("127.0.0.1", "::1", "192.0.2.5")
    }


def test_a_certificate_is_backdated_and_ends(ca):
    made, now = loaded(ca.server_certificate([], [])), datetime.fromtimestamp(NOW, UTC)
    assert made.not_valid_before_utc == now - BACKDATE
    assert made.not_valid_after_utc == now + SERVER_LIFE


def test_a_certificate_lasts_half_its_life(ca, clock):
    first = ca.server_certificate([], []).read_bytes()
    half = (SERVER_LIFE - BACKDATE).total_seconds() / 2
    clock.now = NOW + half - 1
    assert ca.server_certificate([], []).read_bytes() == first
    clock.now = NOW + half + 1
    assert ca.server_certificate([], []).read_bytes() != first


def test_a_clock_that_was_set_back_gets_a_certificate_of_its_time(ca, clock):
    ca.server_certificate([], [])
    clock.now = NOW - 10 * 24 * 3600
    made = loaded(ca.server_certificate([], []))
    assert made.not_valid_before_utc < datetime.fromtimestamp(clock.now, UTC)


def test_another_name_or_authority_makes_another_certificate(ca, tmp_path, clock):
    first = ca.server_certificate(["rome"], []).read_bytes()
    assert ca.server_certificate(["rome"], []).read_bytes() == first
    assert ca.server_certificate(["milan"], []).read_bytes() != first
    (tmp_path / "pki" / "ca.pem").unlink()
    anew = ClusterCA(tmp_path / "pki", "legion", clock)
    loaded(anew.server_certificate(["milan"], [])).verify_directly_issued_by(
        x509.load_pem_x509_certificate(anew.certificate)
    )


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_file_is_a_sentence(ca, tmp_path, clock, content):
    (tmp_path / "pki" / "ca.pem").write_bytes(content)
    with pytest.raises(IdentityError, match="holds no key and certificate: restore it from a backup"):
        ClusterCA(tmp_path / "pki", "legion", clock)


def test_a_damaged_server_certificate_is_made_anew(ca):
    path = ca.server_certificate([], [])
    path.write_bytes(b"rubbish")
    assert loaded(ca.server_certificate([], []))


def test_a_key_of_another_certificate_is_a_sentence(ca, tmp_path, clock):
    ca.server_certificate([], [])
    folder = tmp_path / "pki"
    key = (folder / "ca.pem").read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
    certificate = (folder / "server.pem").read_bytes().partition(b"-----BEGIN CERTIFICATE")
    (folder / "ca.pem").write_bytes(key + certificate[1] + certificate[2])
    with pytest.raises(IdentityError, match="do not belong together"):
        ClusterCA(folder, "legion", clock)


def test_a_file_left_half_written_is_in_nobody_s_way(tmp_path, clock):
    folder = tmp_path / "pki"
    folder.mkdir()
    (folder / "ca.new").write_bytes(b"half")
    assert ClusterCA(folder, "legion", clock).fingerprint
    assert not (folder / "ca.new").exists()
