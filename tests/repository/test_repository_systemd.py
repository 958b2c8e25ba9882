"""`gbnt serve --install` under a real systemd: what it says, what its unit does, and what outlives it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.node import Ended, Row, free_port, node, until
from tests.repository.machine import STATE, UNIT, Machine, machine

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]

STACK = "services: {web: {image: busybox, command: [sleep, '1000'], init: true, deploy: {replicas: 2}}}"


@dataclass(frozen=True, slots=True)
class Installed:
    """A machine where gbnt was installed and a stack deployed; what `--install` said, and what ran then."""

    machine: Machine
    said: Ended
    containers: Row
    resolver: str

    def expect_all_as_before(self) -> None:
        """It serves, and nothing but gbnt itself was begun anew."""
        node = self.machine.node
        assert self.machine.shown("ActiveState") == "active"
        until(node.is_well, "a node that is well")
        until(lambda: [task["state"] for task in node.rows("task", "ls")] == ["running"] * 2, "2 running tasks")
        assert {task["attempt"] for task in node.rows("task", "ls")} == {1}
        assert started(self.machine) == self.containers
        assert self.machine.resolver() == self.resolver
        assert len(node.resolve("housed_default", "web")) == 2


def started(machine: Machine) -> Row:
    return {each["Id"]: each["State"]["StartedAt"] for each in machine.node.containers(running=False)}


@pytest.fixture(scope="module")
def installed(systemd_image: str) -> Iterator[Installed]:
    with machine(systemd_image) as one:
        said = one.install()
        assert said.code == 0, said.text + one.journal()
        assert one.shown("ActiveState") == "active"  # at once: a start that returns is a gbnt that serves
        assert one.node.health() != {}
        assert one.node.deploy(STACK, "housed").code == 0
        yield Installed(one, said, started(one), one.resolver())


def test_install_says_what_it_did_and_where_everything_is(installed):
    data = installed.machine.node.data
    host = installed.machine.ok("hostname")
    assert installed.said.out.splitlines() == [
        "wrote /etc/systemd/system/gubernator.service",
        "gubernator runs, and starts with the machine; `journalctl -fu gubernator` shows its log",
        f"state: {data}",
        f"context: {host}, in /root/.gbntctl/config",
        f"first credential: {data}/first-credentials, until it is first used",
    ]
    assert installed.said.err == ""
    assert installed.machine.ok("systemctl", "is-enabled", UNIT) == "enabled"
    assert installed.machine.shown("StatusText") == (
        f"{host} serves on https://127.0.0.1:{installed.machine.node.api_port}"
    )


def test_systemd_finds_no_fault_with_the_unit_and_nobody_a_secret_in_it(installed):
    assert installed.machine.run("systemd-analyze", "verify", UNIT).text == ""
    text = installed.machine.ok("systemctl", "cat", UNIT)
    assert "50%%" in text
    assert not re.search(r"gbnt_\w+_\w+", text)
    assert STATE in installed.machine.ok("cat", f"/proc/{installed.machine.shown('MainPID')}/cmdline")


def test_a_restart_restarts_gbnt_and_nothing_else(installed):
    before = installed.machine.shown("MainPID")
    installed.machine.ok("systemctl", "restart", UNIT)
    assert installed.machine.shown("MainPID") != before
    installed.expect_all_as_before()


def test_the_resolver_is_no_part_of_the_unit(installed):
    scope = installed.machine.unit_of(installed.resolver)
    assert scope.endswith(".scope")
    assert installed.machine.unit_of(installed.machine.shown("MainPID")) == UNIT
    # A machine that goes down stops the engine, and with it the containers, before what answers their questions.
    assert "docker.service" in installed.machine.shown("Before", scope)
    assert "docker.service" in installed.machine.shown("After")


def test_names_resolve_while_the_unit_is_stopped(installed):
    installed.machine.ok("systemctl", "stop", UNIT)
    assert installed.machine.shown("ActiveState") == "inactive"
    assert len(installed.machine.node.resolve("housed_default", "web")) == 2
    installed.machine.ok("systemctl", "start", UNIT)
    installed.expect_all_as_before()


def test_a_killed_gbnt_is_brought_back_however_often(installed):
    killed = installed.machine.shown("MainPID")
    installed.machine.ok("systemctl", "kill", "--signal=KILL", UNIT)
    until(lambda: installed.machine.shown("NRestarts") == "1", "another start")
    until(lambda: installed.machine.shown("ActiveState") == "active", "one that serves")
    assert installed.machine.shown("MainPID") != killed
    # By its own measure systemd would give up after five ends within ten seconds.
    assert installed.machine.shown("StartLimitIntervalUSec") == "0"
    installed.expect_all_as_before()


def test_install_says_why_gbnt_does_not_start(installed):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = str(other.getsockname()[1])
        refused = installed.machine.install("--api-port", taken)
    assert refused.code == 1
    assert f"error: port {taken} on 127.0.0.1 is taken" in refused.out
    assert "gubernator does not start, and is tried again each second" in refused.err
    until(lambda: installed.machine.shown("ActiveState") == "active", "a start, now that the port is free")


def test_another_install_changes_the_unit_and_the_context(installed):
    node = installed.machine.node
    node.api_port = free_port()
    assert installed.machine.install().code == 0
    assert f"--api-port {node.api_port} " in installed.machine.ok("systemctl", "cat", UNIT)
    assert f"https://127.0.0.1:{node.api_port}" in node.ok("config", "get-contexts")
    installed.expect_all_as_before()


def test_uninstall_removes_the_unit_and_says_what_stays(installed):
    said = installed.machine.ok("gbnt", "serve", "--uninstall").splitlines()
    data = installed.machine.node.data
    assert said == [
        "stopped gubernator and removed /etc/systemd/system/gubernator.service",
        f"its containers run on; `gbnt serve --data-dir '{data}'` takes them up again",
        f"their names resolve until `gbnt resolver --stop --runtime-dir '{data}/run'`",
    ]
    assert installed.machine.shown("LoadState") == "not-found"
    assert installed.machine.run("gbnt", "serve", "--uninstall").err == (
        "error: there is no /etc/systemd/system/gubernator.service: gbnt is no service of this machine\n"
    )
    assert started(installed.machine) == installed.containers
    assert installed.machine.install().code == 0
    installed.expect_all_as_before()


def test_gbnt_starts_with_the_machine(installed):
    installed.machine.reboot()
    assert installed.machine.shown("ActiveState") == "active"
    assert installed.machine.unit_of(installed.machine.resolver()).endswith(".scope")
    assert started(installed.machine) == installed.containers
    assert len(installed.machine.node.resolve("housed_default", "web")) == 2


def test_a_node_that_leaves_takes_its_unit_with_it(systemd_image):
    with node() as manager, machine(systemd_image) as one:
        manager.start("--node-name", "rome", "--advertise-addr", "127.0.0.1")
        token = manager.ok("legion", "join-token").split("--token ")[1].split()[0]
        data = ("--data-dir", str(one.node.data))
        names = ("--node-name", "gaul", "--manager", f"127.0.0.1:{manager.api_port}")
        one.ok("gbnt", "legion", "join", "--token", token, *names, *data, "--no-serve")
        assert one.install().code == 0
        until(lambda: {row["status"] for row in manager.rows("node", "ls")} == {"ready"}, "a worker that is ready")
        assert one.ok("gbnt", "legion", "leave", *data).splitlines() == [
            f"gaul is no node of the cluster {manager.cluster} any more",
            "stopped gubernator and removed /etc/systemd/system/gubernator.service",
            "removed 0 containers and 0 networks",
            "nothing else of the cluster is left here: this machine may join again",
        ]
        assert one.shown("LoadState") == "not-found"
        assert not one.node.data.exists()
        assert [row["name"] for row in manager.rows("node", "ls")] == ["rome"]
