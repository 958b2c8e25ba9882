"""A stack's life in revisions on a real engine: planned, changed in part, looked back at, and taken back."""

from __future__ import annotations

import json
import os

import pytest

from tests.e2e.node import Node

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

# A run that was broken off may have left a network of that name behind.
SHOP = f"annals{os.getpid()}"
SECRET = "qualis-artifex"

WEB = """\
services:
  web:  # the door
    image: busybox
    command: [sleep, "${SECONDS_TO_STAY}"]
    environment: {KEY: "${KEY}"}
    init: true
"""
BOTH = WEB + "  db: {image: busybox, command: [sleep, '1000'], init: true}\n"
NEVER = ("--detach", "--resolve-image", "never")


def containers(node: Node) -> dict[str, tuple[str, list[str]]]:
    """Each running container by its service: its id and its command."""
    return {c["Config"]["Labels"]["gbnt.service"]: (c["Id"], c["Config"]["Cmd"]) for c in node.containers()}


def deploy(node: Node, text: str, seconds: int, *options: str) -> str:
    node.extra |= {"SECONDS_TO_STAY": str(seconds), "KEY": SECRET}
    ended = node.deploy(text, SHOP, "--resolve-image", "never", *options)
    assert ended.code == 0, ended.text
    return ended.out + ended.err


def test_a_stack_is_planned_changed_in_part_looked_back_at_and_taken_back(running: Node) -> None:
    planned = json.loads(running_plan(running, BOTH, 1000))
    assert {one["name"]: one["change"] for one in planned["services"]} == {"web": "created", "db": "created"}
    assert not running.rows("stack", "ls")

    deploy(running, BOTH, 1000)
    before = containers(running)

    # The file is only a part now, and web another: db is kept as it is.
    planned = json.loads(running_plan(running, WEB, 1001))
    assert {one["name"]: (one["change"], one["fields"]) for one in planned["services"]} == {
        "web": ("updated", ["command"]),
        "db": ("kept", []),
    }
    assert "no longer in the file, and kept: db; --prune removes it" in deploy(running, WEB, 1001)
    after = containers(running)
    assert after["db"] == before["db"]
    assert after["web"][1] == ["sleep", "1001"]

    rows = running.rows("stack", "history", SHOP)
    assert [(row["number"], row["changes"]) for row in rows] == [
        (2, {"web": "updated"}),
        (1, {"web": "created", "db": "created"}),
    ]
    hidden = running.ok("stack", "sources", SHOP)
    assert WEB in hidden
    assert SECRET not in hidden
    kept = json.loads(running.ok("stack", "sources", SHOP, "--revision", "1", "--values", "-o", "json"))
    assert kept["files"] == [{"name": "compose.yaml", "text": BOTH}]
    assert kept["variables"] == {"SECONDS_TO_STAY": "1000", "KEY": SECRET}

    # It is known after a kill, too; and the way back leads to what ran then.
    running.kill9()
    running.start()
    assert running.ok("stack", "rollback", SHOP) == ""
    assert containers(running)["web"][1] == ["sleep", "1000"]
    assert containers(running)["db"] == before["db"]
    newest = running.rows("stack", "history", SHOP)[0]
    assert (newest["number"], newest["of"]) == (3, 1)
    again = running.gbnt("stack", "rollback", SHOP)
    assert (again.code, "has no revision before the present one" in again.err) == (1, True), again.text
    assert containers(running)["web"][1] == ["sleep", "1000"]

    assert "db removed" in deploy(running, WEB, 1000, "--prune")
    assert set(containers(running)) == {"web"}


def running_plan(node: Node, text: str, seconds: int) -> str:
    """The plan of a deploy, as JSON."""
    node.extra |= {"SECONDS_TO_STAY": str(seconds), "KEY": SECRET}
    ended = node.deploy(text, SHOP, "--resolve-image", "never", "--dry-run", "-o", "json")
    assert ended.code == 0, ended.text
    return ended.out


def test_what_a_variable_holds_that_no_spec_says_is_in_no_event_no_log_and_no_clear_text_of_the_state(
    running: Node,
) -> None:
    secret = "never-to-be-seen-but-where-it-is-asked-for"
    running.extra["UNUSED_BY_THE_SPEC"] = secret
    web = "{image: busybox, command: [sleep, '1000'], init: true, labels: {a: '${UNUSED_BY_THE_SPEC:+set}'}}"
    text = f"services: {{web: {web}}}"
    ended = running.deploy(text, SHOP, *NEVER)
    assert ended.code == 0, ended.text
    told = running.ok("events") + running.log + ended.text + running.ok("stack", "history", SHOP, "-o", "json")
    assert secret not in told
    stored = b"".join(path.read_bytes() for path in running.data.rglob("*") if path.is_file())
    assert secret.encode() not in stored
    shown = json.loads(running.ok("stack", "sources", SHOP, "--values", "-o", "json"))
    assert shown["variables"] == {"UNUSED_BY_THE_SPEC": secret}


def test_a_draft_waits_for_who_deploys_it_and_one_that_no_deploy_takes_says_why(running: Node) -> None:
    text = "services: {web: {image: busybox, command: [sleep, '1000'], init: true"
    path = running.folder / "compose.yaml"
    path.write_text(f"{text}, secrets: [key]}}}}\nsecrets: {{key: {{file: ./key}}}}\n")
    (running.folder / "key").write_text("of the door")
    saved = running.gbnt("stack", "save", SHOP, "-c", str(path))
    assert (saved.code, "cannot be deployed as it is" in saved.err) == (0, True), saved.text
    refused = running.gbnt("stack", "deploy", SHOP, "--draft")
    assert (refused.code, "services.web.secrets" in refused.err) == (2, True), refused.text
    path.write_text(f"{text}}}}}\n")
    assert running.gbnt("stack", "save", SHOP, "-c", str(path)).code == 0
    assert not running.rows("stack", "ls")
    deployed = running.gbnt("stack", "deploy", SHOP, "--draft", "--resolve-image", "never")
    assert deployed.code == 0, deployed.text
    assert set(containers(running)) == {"web"}
    assert running.ok("stack", "sources", SHOP) == path.read_text()
