"""Users of a real manager: taken in on its machine, signed in from elsewhere, and nothing of a password anywhere."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from cli.context_words import fingerprint
from cli.errors import NotAllowed
from tests.e2e.node import Node
from tests.e2e.test_e2e_contexts import Elsewhere
from tests.e2e.test_e2e_credentials import files_with

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]


def authority(node: Node) -> str:
    """The SHA-256 of the authority's certificate, as openssl prints it."""
    certificate = node.data / "pki" / "ca.pem"
    words = ["openssl", "x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha256"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]


def test_a_user_signs_in_from_elsewhere_works_by_the_role_and_is_out_at_once(fresh: Node, tmp_path: Path) -> None:
    fresh.start("--advertise-addr", "127.0.0.1")
    password = fresh.ok("user", "create", "vera", "--role", "operator", "--generate").strip()
    vera = Elsewhere(fresh, tmp_path)
    server = f"https://127.0.0.1:{fresh.api_port}"
    words = ["login", "--server", server, "-u", "vera", "--password-stdin", "--ca-fingerprint", authority(fresh)]
    signed_in = vera.gbnt(*words, stdin=password)
    assert signed_in.code == 0, signed_in.text
    assert "as vera (operator) for 12h" in signed_in.out

    assert json.loads(vera.gbnt("node", "ls", "-o", "json").out)[0]["status"] == "ready"
    refused = vera.gbnt("user", "ls")
    assert (refused.code, "has the role operator" in refused.err) == (NotAllowed.exit_code, True)
    [row] = fresh.rows("user", "ls")
    assert (row["sessions"], row["disabled"]) == (1, False)

    another = "correct horse battery"
    assert vera.gbnt("user", "passwd", "--password-stdin", stdin=f"{password}\n{another}\n").code == 0
    assert vera.gbnt(*words, stdin=password).code == NotAllowed.exit_code
    assert vera.gbnt("stack", "ls").code == 0

    fresh.ok("user", "update", "vera", "--disable")
    assert vera.gbnt("stack", "ls").code == NotAllowed.exit_code
    fresh.ok("user", "update", "vera", "--enable")
    given = fresh.ok("user", "reset-password", "vera").strip()
    assert vera.gbnt(*words, stdin=given).code == 0
    signed_out = vera.gbnt("logout")
    assert signed_out.code == 0, signed_out.text
    assert [row["sessions"] for row in fresh.rows("user", "ls")] == [0]

    deeds = [(row["action"], row["who"], row["subject"], row["outcome"]) for row in fresh.rows("audit")]
    assert ("sessions.open", "vera", "vera", "done") in deeds
    assert ("sessions.open", "", "vera", "unauthorized") in deeds
    for secret in (password, another, given):
        assert files_with(secret, fresh.folder) | files_with(secret, tmp_path) == set()
        assert secret not in fresh.log
    assert "$argon2id" not in fresh.log + json.dumps(fresh.rows("events")) + json.dumps(fresh.rows("audit"))

    fresh.ok("user", "rm", "vera")
    assert (fresh.rows("user", "ls"), vera.gbnt(*words, stdin=given).code) == ([], NotAllowed.exit_code)


def test_a_password_is_typed_unseen_after_the_authority_was_vouched_for(running: Node, tmp_path: Path) -> None:
    password = running.ok("user", "create", "nero", "--role", "viewer", "--generate").strip()
    own = {"GBNTCTL_CONFIG": str(tmp_path / "config"), "GBNT_DATA_DIR": str(tmp_path / "none")}
    words = [*running.client, "login", "--server", f"https://127.0.0.1:{running.api_port}", "-u", "nero"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(words[0], words, {**running.environment, **own})
    seen = ""

    def read_until(text: str) -> None:
        nonlocal seen
        while text not in seen:
            seen += os.read(terminal, 4096).decode()

    try:
        read_until("[y/N] ")
        known = fingerprint((running.data / "pki" / "ca.pem").read_text())
        assert known in seen
        os.write(terminal, b"y\n")
        read_until("Password at ")
        os.write(terminal, f"{password}\n".encode())
        read_until('commands now go to "nero@')
    finally:
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    assert password not in seen
    assert os.waitstatus_to_exitcode(status) in (0, -1)
    running.ok("user", "rm", "nero")
