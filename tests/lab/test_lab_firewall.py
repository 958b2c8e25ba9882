"""Machines behind firewalls that let in what `docs/operations.md` names, and drop all else."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.node import Ended, Row, until
from tests.lab.lab import Lab
from tests.lab.machine import Machine
from tests.lab.switch import ROOT
from tests.lab.test_lab_machines import connects

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]

FILE = """
services:
  web:
    image: busybox
    command: [sh, -c, "echo salve; exec httpd -f -p 80"]
    init: true
    ports: ["8080:80"]
    deploy:
      placement: {constraints: [node.hostname == rome-2]}
"""
# ufw keeps its rules in files: each machine has those of its own.
UFW = "cp -a /etc/ufw {own} && mount --bind {own} /etc/ufw && ufw --force enable"


def ufw(machine: Machine) -> None:
    """Let nobody in who was not let in by a command."""
    ended = machine.run("sh", "-ec", UFW.format(own=machine.folder / "ufw"))
    assert (ended.code, "Firewall is active" in ended.out) == (0, True), ended.text


def doctor(machine: Machine, *options: str) -> dict[str, Row]:
    """What doctor finds, by its checks."""
    return {row["check"]: row for row in json.loads(machine.gbnt("doctor", *options, "-o", "json").out)}


def obey(machine: Machine, row: Row) -> None:
    """Do as a finding says, as root."""
    ended = machine.run("sh", "-ec", row["fix"].replace("sudo ", ""))
    assert ended.code == 0, ended.text


def asks_for_a_name(rome: Machine) -> Ended:
    """A container asks for its service's name."""
    return rome.gbnt("exec", "shop-web-1", "nslookup", "web")


def assert_is_served(rome: Machine, machine: Machine) -> None:
    """Logs, commands, names and published ports of a task there, for this manager and a third machine."""
    assert "salve" in rome.ok("logs", "shop/web")
    assert rome.ok("exec", "shop-web-1", "hostname").strip() == machine.containers()[0]["Config"]["Hostname"]
    assert (asked := asks_for_a_name(rome)).code == 0, asked.text
    assert connects(rome, machine.address, 8080)


def test_behind_ufw_doctor_names_the_commands_that_let_a_legion_in(three: Lab):
    rome, second, _ = three.machines
    for machine in (rome, second):
        ufw(machine)
    rome.start()
    line = rome.ok("legion", "init")
    assert not connects(second, rome.address, 4000)
    api = doctor(second, "--manager", rome.address)[f"to {rome.address}:4000"]
    assert (api["result"], "on the manager `gbnt doctor` names the command" in api["fix"]) == ("problem", True)
    assert second.run("sh", "-c", line).code == 1, "what doctor calls a problem stops the join"

    told = doctor(rome)["firewall"]
    assert (told["result"], told["found"].startswith("ufw keeps out 4000/tcp, 4003/tcp")) == ("warning", True)
    obey(rome, told)
    assert doctor(rome)["firewall"]["result"] == "ok"
    second.paste(line)
    second.settle()
    rome.bring_up(FILE, "shop")
    assert "salve" in rome.ok("logs", "shop/web"), "control of a worker needs no port of its own"
    assert asks_for_a_name(rome).code != 0
    told = doctor(second)["firewall"]
    assert "containers' questions for names (53)" in told["found"]
    obey(second, told)
    assert_is_served(rome, second)
    assert doctor(second)[f"back from {rome.address}"]["result"] == "ok"
    assert not connects(second, rome.address, 4002), "nothing else was let in"


def test_rules_of_nft_that_drop_all_but_what_the_page_opens_leave_a_legion_whole(three: Lab):
    rome, second, third = three.machines
    page = (ROOT / "docs" / "operations.md").read_text()
    [rules] = re.findall(r"```nft\n(.*?)```", page, re.DOTALL)
    for machine in three.machines:
        (machine.folder / "rules.nft").write_text(rules)
        assert (ended := machine.run("nft", "-f", str(machine.folder / "rules.nft"))).code == 0, ended.text
    three.legion()
    rome.bring_up(FILE, "shop")
    assert_is_served(rome, second)
    assert connects(third, rome.address, 4003)
    assert not connects(third, rome.address, 4002)
    three.cut(second)
    until(lambda: [row["status"] for row in rome.rows("node", "ls")] == ["ready", "down", "ready"], "one that is down")
    three.heal()
    until(lambda: [row["status"] for row in rome.rows("node", "ls")] == ["ready"] * 3, "a whole legion")
    assert_is_served(rome, second)
