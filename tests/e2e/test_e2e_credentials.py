"""The first credential and the later ones: nobody has to invent one, and nobody who may not know one sees it."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import httpx
import pytest

from cli.context import find_context
from cli.errors import NotAllowed
from cli.home import CREDENTIALS
from tests.e2e.node import Node, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]


def test_the_first_credential_lies_in_a_private_file_until_its_first_use(running: Node) -> None:
    kept = running.data / CREDENTIALS
    secret = kept.read_text()
    assert (mode(kept), mode(running.folder / "config")) == ("-rw-------", "-rw-------")
    assert files_with(secret.rpartition("_")[2], running.folder) == {kept, running.folder / "config"}

    running.kill9()
    running.start()
    assert kept.read_text() == secret  # nobody has used it yet

    running.ok("stack", "ls")
    assert not kept.exists()
    running.kill9()
    running.start()
    running.ok("stack", "ls")
    assert not kept.exists()
    assert files_with(secret.rpartition("_")[2], running.folder) == {running.folder / "config"}


def test_whoever_owns_the_manager_needs_no_credential_to_make_one(running: Node) -> None:
    (running.folder / "config").rename(running.folder / "elsewhere")
    assert mode(running.data / "run/admin.sock") == "srw-------"
    made = running.ok("token", "create", "watcher", "--role", "viewer").strip()
    (running.folder / "elsewhere").rename(running.folder / "config")
    assert made.partition("_")[2] not in running.log

    running.extra = {"GBNT_API_TOKEN": made}
    running.ok("stack", "ls")
    refused = running.gbnt("snapshot", "create")
    assert (refused.code, "which may not do this" in refused.err) == (NotAllowed.exit_code, True)

    running.extra = {}
    running.ok("token", "rm", made.split("_")[1])
    running.extra = {"GBNT_API_TOKEN": made}
    refused = running.gbnt("stack", "ls")
    assert (refused.code, "`gbnt token create`" in refused.err) == (NotAllowed.exit_code, True)


def test_a_change_under_a_key_that_was_used_is_answered_as_the_first_time_or_refused(running: Node) -> None:
    key = {"Idempotency-Key": "k-1"}
    vera = {"name": "vera", "role": "viewer", "password": "qualis artifex pereo"}
    with client(running) as api:
        first, again = (api.post("/v1/users", json=vera, headers=key) for _ in range(2))
        assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
        other = api.delete("/v1/users/vera", headers=key)
        assert (other.status_code, "used for another change" in other.json()["detail"]) == (422, True)
        assert api.get("/v1/users/vera").status_code == 200
        told = api.get("/v1/audit", params={"action": "users.*"}).json()["items"]
        assert [row["outcome"] for row in told] == ["invalid", "repeated", "done"]
        wanted = {"name": "ci", "role": "viewer"}
        made, lost = (api.post("/v1/tokens", json=wanted, headers={"Idempotency-Key": "k-2"}) for _ in range(2))
        assert (made.status_code, lost.status_code) == (201, 409)
        assert made.json()["token"].partition("_")[2] not in lost.text
        assert [row["name"] for row in running.rows("token", "ls")].count("ci") == 1
        api.delete("/v1/users/vera")


def test_a_token_is_worthless_once_its_time_is_over(running: Node) -> None:
    with client(running) as api:
        made = api.post("/v1/tokens", json={"name": "brief", "role": "viewer", "ttl": 1.0}).json()
        bearer = {"Authorization": f"Bearer {made['token']}"}
        until(lambda: api.get("/v1/nodes", headers=bearer).status_code == 401, "a token that has expired")
        answer = api.get("/v1/nodes", headers=bearer)
        assert (answer.json()["code"], answer.headers["www-authenticate"]) == ("unauthorized", "Bearer")


def client(node: Node) -> httpx.Client:
    """An admin's client, over TLS, by the context that the first start wrote."""
    context = find_context("", node.folder / "config")
    assert context is not None
    trust = ssl.create_default_context(cadata=context.certificate_authority)
    return httpx.Client(base_url=context.server, headers={"Authorization": f"Bearer {context.token}"}, verify=trust)


def mode(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


def files_with(text: str, folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()}
