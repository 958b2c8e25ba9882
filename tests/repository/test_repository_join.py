"""`gbnt legion join --install` under a real systemd: a machine that joins, and serves as that node from then on."""

from __future__ import annotations

import pytest

from tests.e2e.node import node, until
from tests.repository.machine import STATE, UNIT, machine

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_machine_joins_serves_and_is_reset(systemd_image):
    with machine(systemd_image) as gaul, node() as rome:
        rome.start()
        line = rome.ok("legion", "join-token").split()
        token, manager, data = line[4], line[6], gaul.node.data
        (gaul.node.folder / "token").write_text(token)
        # The manager listens on loopback alone, where this machine is, too.
        where = ("--manager", f"127.0.0.1:{manager.rpartition(':')[2]}", "--data-dir", str(data))
        words = ("--token-file", str(gaul.node.folder / "token"), *where, "--install", "--skip-checks")
        said = gaul.run("env", f"GBNT_JOIN_TOKEN={token}", "gbnt", "legion", "join", *words)
        joined, wrote = said.out.splitlines()[:2]
        assert " is node " in joined, said.text
        assert wrote == "wrote /etc/systemd/system/gubernator.service"
        assert gaul.ok("systemctl", "is-enabled", UNIT) == "enabled"
        assert gaul.shown("ActiveState") == "active"
        until(lambda: [row["status"] for row in rome.rows("node", "ls")] == ["ready"] * 2, "two nodes that are ready")
        text = gaul.ok("systemctl", "cat", UNIT)
        assert STATE.replace("%", "%%").replace("$", "$$") in text
        assert "eyJ" not in text + gaul.shown("Environment") + gaul.journal()
        assert gaul.run("systemd-analyze", "verify", UNIT).text == ""
        resolver = gaul.resolver()
        done = gaul.run("gbnt", "reset", "--yes", "--data-dir", str(data))
        assert done.code == 0, done.text
        assert gaul.shown("LoadState") == "not-found"
        assert not data.exists()
        assert gaul.run("test", "-e", f"/proc/{resolver}").code == 1
