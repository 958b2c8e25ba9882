"""The first credential and the later ones: nobody has to invent one, and nobody who may not know one sees it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cli.errors import NotAllowed
from cli.home import CREDENTIALS
from tests.e2e.node import Node

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

    running.ok("token", "rm", made.split("_")[1])
    refused = running.gbnt("stack", "ls")
    assert (refused.code, "`gbnt token create`" in refused.err) == (NotAllowed.exit_code, True)


def mode(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


def files_with(text: str, folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()}
