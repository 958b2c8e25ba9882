"""What `gbnt serve` says where it cannot start, and how it starts all the same where it can."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3

import pytest

from portal.credentials import new_credential
from tests.e2e.node import PROGRAM, Node, node, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def refusal(node: Node, *options: str) -> str:
    """The one sentence that a start which fails ends with."""
    node.launch(*options)
    assert node.process is not None
    assert node.process.wait(30) in (1, 2), node.log
    (sentence,) = node.log.splitlines()
    assert sentence.startswith("error: ")
    return sentence.removeprefix("error: ")


def test_a_taken_port_is_told_with_its_holder(fresh):
    with socket.create_server(("127.0.0.1", fresh.api_port)):
        told = refusal(fresh)
    assert re.fullmatch(
        rf"port {fresh.api_port} on 127.0.0.1 is taken by \S+ \(pid {os.getpid()}\): stop that, or choose another port",
        told,
    )


def test_a_second_serve_on_the_same_data_is_refused_and_the_first_goes_on(running):
    with node(extra={"GBNT_DATA_DIR": str(running.data)}) as second:
        told = refusal(second)
    assert f"is in use by another gbnt (pid {running.process.pid}): stop that one, or choose another" in told
    assert running.is_well()
    assert running.ok("token", "create", "ci")  # its socket is where it was


def test_a_state_of_a_newer_gbnt_is_left_alone(running):
    running.stop()
    state = running.data / "store/gbnt.db"
    with sqlite3.connect(state) as connection:
        connection.execute("INSERT INTO migrations VALUES (9999, 'later')")
    connection.close()
    before = state.read_bytes()
    (running.folder / "serve.log").unlink()
    assert re.search(r"has schema 9999 and this gbnt knows up to \d+: run the newer gbnt", refusal(running))
    assert state.read_bytes() == before


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DOCKER_HOST", "docker", '"docker" is no address of an engine: set DOCKER_HOST'),
        ("GBNT_API_TOKEN", "gbnt_a_b", "GBNT_API_TOKEN must be gbnt_ID_SECRET"),
        ("GBNT_NETWORK_POOL", "here", "network-pool: 'here' does not appear to be"),
        ("GBNT_DATA_DIR", "/tmp/" + 100 * "x", "choose a shorter one with --data-dir"),
        ("GBNT_DATA_DIR", "/dev/null", "choose another one with --data-dir"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_a_sentence(fresh, variable, value, words):
    fresh.extra[variable] = value
    told = refusal(fresh)
    fresh.extra.clear()  # what cleans up has to find the engine
    assert words in told


def test_who_may_not_use_the_data_directory_is_told_so(fresh):
    fresh.folder.chmod(0o755)
    fresh.data.mkdir(0o700)
    fresh.program = (*AS_NOBODY, *PROGRAM, "serve")
    told = refusal(fresh)
    assert told == (
        f"cannot use the data directory {fresh.data}: Permission denied; run gbnt as root, or choose another one "
        "with --data-dir"
    )


def test_without_the_rights_to_the_engine_it_serves_and_says_so(fresh):
    shutil.chown(fresh.folder, NOBODY, NOBODY)
    fresh.program = (*AS_NOBODY, *PROGRAM, "serve")
    fresh.launch()
    told = until(lambda: without_engine(fresh), "word of the engine")
    assert told.endswith("this user may not open it; run gbnt as root, or add the user to the group docker")
    assert "Traceback" not in fresh.log


def without_engine(node: Node) -> str:
    """What health says of the engine once it knows that it does not answer."""
    health = node.health()
    detail = str(health["checks"]["engine"]["detail"]) if health.get("status") == "degraded" else ""
    return detail if "does not answer" in detail else ""


def test_an_absent_engine_is_waited_for(fresh):
    address = fresh.folder / "engine.sock"
    fresh.engine = f"unix://{address}"
    fresh.launch()
    assert until(lambda: without_engine(fresh), "word of the engine") == (
        f"the Docker Engine at {fresh.engine} does not answer; start it with `systemctl start docker`"
    )
    assert (
        fresh.deploy("services: {web: {image: busybox, command: [sleep, '1000'], init: true}}", "late", "--detach").code
        == 0
    )
    (task,) = fresh.rows("task", "ls")
    address.symlink_to("/var/run/docker.sock")
    until(fresh.is_well, "a node that is well")
    until(lambda: len(fresh.containers()) == 1, "its container")
    assert [row["id"] for row in fresh.rows("task", "ls")] == [task["id"]]
    assert "Traceback" not in fresh.log


def test_without_a_place_for_its_context_it_serves_and_says_where_the_credential_is(fresh):
    (fresh.folder / "config").write_text("- not contexts")
    fresh.start()
    credential = fresh.data / "first-credentials"
    assert f"{fresh.folder}/config does not hold contexts: mend the file or move it away" in fresh.log
    assert f"the first credential is in {credential}" in fresh.log
    assert credential.exists()


def test_a_credential_of_ones_own_is_taken_from_a_file_and_no_other_is_made(fresh):
    mine = new_credential()
    (fresh.folder / "token").write_text(mine.text + "\n")
    fresh.extra["GBNT_API_TOKEN_FILE"] = str(fresh.folder / "token")
    fresh.start()
    assert [row["id"] for row in fresh.rows("token", "ls")] == [mine.id]
    files = {file for file in fresh.folder.rglob("*") if file.is_file() and mine.secret.encode() in file.read_bytes()}
    assert files == {fresh.folder / "token", fresh.folder / "config"}
    fresh.ok("stack", "ls")  # by the context

    fresh.ok("token", "rm", mine.id)
    fresh.kill9()
    fresh.start()
    fresh.extra.clear()  # else it is what commands come with
    assert fresh.rows("token", "ls") == []
    assert f"the token {mine.id} was revoked, and stays so: bring one with another id" in fresh.log
