"""`gbnt stack adopt`: what `docker-compose` runs becomes a stack with its data, or runs on as it did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.e2e.compose import Compose, compose
from tests.e2e.node import Node, free_port, until
from tests.e2e.person import at_terminal

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

# The database says what is in its volume, and writes to it only where there is nothing.
FILE = """
version: "3.8"
services:
  db:
    image: busybox
    command: sh -c 'test -e /data/rows || echo precious > /data/rows; exec httpd -f -p 80 -h /data'
    restart: always
    init: true
    stop_grace_period: 0s
    volumes: [data:/data]
  web:
    image: {image}
    command: {command}
    init: true
    stop_grace_period: 0s
    ports: ["127.0.0.1:{port}:80"]
    depends_on: [db]
volumes: {{data: {{}}}}
"""
GOOD = "sh -c 'sleep 1000'"
BAD = "sh -c 'exit 3'"


@pytest.fixture
def project() -> Iterator[Compose]:
    """A project that does not run yet."""
    with compose() as one:
        yield one


def file(port: int, command: str = GOOD, image: str = "busybox") -> str:
    return FILE.format(port=port, command=command, image=image)


def rows_of(node: Node) -> str:
    """What the stack's database has."""
    (db,) = node.containers("label=gbnt.service=db")
    return node.docker("exec", db["Id"], "cat", "/data/rows")


def lives(project: Compose) -> dict[str, str]:
    """Each container of the project that runs, by name."""
    return {name: one["Id"] for name, one in project.containers().items()}


def test_a_project_becomes_a_stack_with_its_data_and_the_same_file_changes_nothing(
    running: Node, project: Compose
) -> None:
    project.up(file(free_port()))
    project.run("run", "-d", "--no-deps", "--name", f"{project.name}_odd", "web", "sleep", "1000")
    odd = f"{project.name}_odd"
    before = lives(project)

    refused = running.gbnt("stack", "adopt", project.name, "--yes")
    assert (refused.code, f"docker stop {odd}" in refused.err) == (2, True), refused.text
    running.docker("stop", "-t", "0", odd)
    shown = running.gbnt("stack", "adopt", project.name, "--dry-run")
    assert shown.code == 0, shown.text
    assert f"db replaces {project.name}_db_1, with volume {project.name}_data" in shown.out
    assert f"{odd} is left as it is" in shown.out
    assert running.gbnt("stack", "adopt", project.name).code == 2  # nobody is there to be asked
    assert {name: before[name] for name in before if name != odd} == lives(project)

    done = running.gbnt("stack", "adopt", project.name, "--yes", "-o", "json")
    assert done.code == 0, done.text
    assert (json.loads(done.out)["result"], json.loads(done.out)["left"]) == ("adopted", [odd])
    assert rows_of(running) == "precious\n"
    written = (project.folder / "docker-compose.yml").read_text()
    assert running.gbnt("stack", "sources", project.name).out == written
    assert list(project.containers(running=False)) == [odd]
    again = running.gbnt("stack", "deploy", "-c", str(project.folder / "docker-compose.yml"), project.name)
    assert (again.code, "nothing to change" in again.text) == (0, True), again.text
    gone = running.gbnt("stack", "rm", project.name)
    assert (gone.code, f"{project.name}_data" in gone.text) == (0, True)
    assert f"{project.name}_data" in running.docker("volume", "ls", "-q").split()


def test_where_the_stack_does_not_come_to_run_the_old_containers_do_again(running: Node, project: Compose) -> None:
    port = free_port()
    project.up(file(port))
    before = lives(project)
    project.write(file(port, BAD))

    done = running.gbnt("stack", "adopt", project.name, "--yes")
    assert done.code == 1, done.text
    assert "runs as before" in done.err
    assert "web has another command in the file" in done.err
    assert_as_before(running, project, before)
    db = project.containers()[f"{project.name}_db_1"]
    assert db["HostConfig"]["RestartPolicy"]["Name"] == "always"
    web = project.containers()[f"{project.name}_web_1"]
    assert running.docker("exec", web["Id"], "wget", "-q", "-O", "-", "http://db/rows") == "precious\n"


def test_who_is_killed_half_way_goes_on_and_ctrl_c_goes_back(running: Node, project: Compose) -> None:
    project.up(file(free_port()))
    before = lives(project)
    command = [*running.client, "stack", "adopt", project.name, "--yes"]

    cut_short(command, running, lambda: len(lives(project)) < 2, "an old container that was stopped")
    assert set(project.containers(running=False)) == set(before)
    with at_terminal(command, running.environment) as person:
        person.sees(b"goes on")
        person.sees(b"db created")
        os.kill(person.process.pid, signal.SIGINT)
        person.sees(b"running again")
        assert person.waits() == 130
    assert_as_before(running, project, before)

    cut_short(command, running, lambda: len(running.containers()) == 2, "the containers of the stack")
    assert (lives(project), set(project.containers(running=False))) == ({}, set(before))
    done = running.gbnt(*command[len(running.client) :], "--keep")
    assert done.code == 0, done.text
    assert rows_of(running) == "precious\n"
    assert "its old containers are left" in running.gbnt("stack", "adopt", project.name, "--dry-run").err
    assert (lives(project), set(project.containers(running=False))) == ({}, set(before))
    assert running.gbnt("stack", "adopt", project.name, "--undo").code == 2
    back = running.gbnt("stack", "adopt", project.name, "--undo", "--yes")
    assert back.code == 0, back.text
    assert_as_before(running, project, before)
    assert running.gbnt("stack", "adopt", project.name, "--undo", "--yes").code == 1


def cut_short(command: Sequence[str], node: Node, point: Callable[[], bool], what: str) -> None:
    """Run a command and kill it once something is so."""
    with subprocess.Popen(command, env=node.environment, stderr=subprocess.DEVNULL) as doomed:
        try:
            until(point, what)
        finally:
            doomed.kill()


def assert_as_before(node: Node, project: Compose, before: dict[str, str]) -> None:
    """The same containers run, and the stack is gone."""
    assert lives(project) == before
    assert node.rows("stack", "ls") == []
    db = project.containers()[f"{project.name}_db_1"]
    assert node.docker("exec", db["Id"], "cat", "/data/rows") == "precious\n"


def test_data_in_a_volume_without_a_name_are_in_the_way_until_the_file_names_it(
    running: Node, project: Compose
) -> None:
    port = free_port()
    project.up(file(port).replace("[data:/data]", "[/data]"))
    refused = running.gbnt("stack", "adopt", project.name, "--yes")
    assert (refused.code, "keeps data at /data in a volume without a name" in refused.err) == (2, True), refused.text
    (mount,) = project.containers()[f"{project.name}_db_1"]["Mounts"]
    assert mount["Name"] in refused.err
    named = file(port).replace("data: {}", f"data: {{name: {mount['Name']}, external: true}}")
    project.write(named)
    assert running.gbnt("stack", "adopt", project.name, "--yes").code == 0
    assert rows_of(running) == "precious\n"
    assert running.gbnt("stack", "rm", project.name).code == 0
    running.docker("volume", "rm", mount["Name"])
