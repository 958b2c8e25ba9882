"""`gbnt doctor` on two machines, in network namespaces: each fault is made, and seen.

A manager knocks ten times a minute and no more, so the tests of the way back come first.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.node import PROGRAM, Ended, Node, Row, node, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

ROME, GAUL = "10.99.71.1", "10.99.71.2"
LISTEN = "import socket, sys; s = socket.create_server(('', int(sys.argv[1]))); print('up', flush=True); s.accept()"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two machines: one where `rome` serves, and one whose commands `gaul` runs."""

    rome: Node
    here: str
    there: str

    def gaul(self, *words: str) -> Ended:
        """Run a command of gbnt on the second machine."""
        command = ["ip", "netns", "exec", self.here, *PROGRAM, *words]
        environment = {**self.rome.environment, "GBNT_DATA_DIR": str(self.rome.folder / "gaul")}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def doctor(self, *options: str) -> dict[str, Row]:
        """What doctor found on the second machine, by check."""
        ended = self.gaul(
            "doctor", "--manager", f"{ROME}:4000", "--token-file", str(self.token), *options, "-o", "json"
        )
        rows = {row["check"]: row for row in json.loads(ended.out)}
        assert ended.code == int(any(row["result"] == "problem" for row in rows.values()))
        return rows

    @property
    def token(self) -> Path:
        return self.rome.folder / "token"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def listening(space: str, port: int) -> Iterator[None]:
    """Somebody who listens there until it is met, or the context is left."""
    command = ["ip", "netns", "exec", space, sys.executable, "-c", LISTEN, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        try:
            yield
        finally:
            process.kill()


@contextmanager
def ruled(space: str, *rule: str) -> Iterator[None]:
    """A rule of the packet filter."""
    command = ("ip", "netns", "exec", space, "iptables")
    subprocess.run([*command, "-A", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run([*command, "-D", *rule], check=True)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two network namespaces on one wire; a manager serves in the first, on the usual ports."""
    name = f"gd{uuid4().hex[:6]}"
    there, here = f"{name}-a", f"{name}-b"
    try:
        for space in (there, here):
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
        ip("link", "add", there, "netns", there, "type", "veth", "peer", "name", here, "netns", here)
        for space, address in ((there, ROME), (here, GAUL)):
            ip("-n", space, "address", "add", f"{address}/24", "dev", space)
            ip("-n", space, "link", "set", space, "up")
        with node(program=("ip", "netns", "exec", there, *PROGRAM, "serve")) as rome:
            ports = ("--api-port", "4000", "--telemetry-port", "4002", "--link-port", "4003")
            rome.launch("--bind", "0.0.0.0", *ports, "--advertise-addr", ROME)
            line = until(lambda: rome.gbnt("legion", "join-token").out, "a manager that makes join tokens")
            (rome.folder / "token").write_text(line.split()[4])
            yield Pair(rome, here, there)
    finally:
        for space in (there, here):
            subprocess.run(["ip", "netns", "delete", space], check=False)


def test_two_machines_that_reach_each_other(pair: Pair):
    found = pair.doctor()
    assert {check: found[check]["result"] for check in (f"to {ROME}:4000", f"to {ROME}:4003", "clock")} == {
        f"to {ROME}:4000": "ok",
        f"to {ROME}:4003": "ok",
        "clock": "ok",
    }
    assert found[f"back from {ROME}"] == {
        "check": f"back from {ROME}",
        "result": "ok",
        "found": f"connects to {GAUL}:4003",
        "fix": "",
    }


def test_a_machine_that_lets_nobody_in(pair: Pair):
    with ruled(pair.here, "INPUT", "-p", "tcp", "--dport", "4003", "-j", "DROP"):
        found = pair.doctor()[f"back from {ROME}"]
    assert (found["result"], found["found"]) == ("warning", f"cannot connect to {GAUL}:4003: no answer within 3 s")


def test_a_join_is_stopped_by_a_problem_and_goes_through_once_it_is_mended(pair: Pair):
    where = ("--manager", f"{ROME}:4000", "--node-name", "gaul", "--no-serve")
    words = ("legion", "join", "--token-file", str(pair.token), *where)
    with ruled(pair.there, "INPUT", "-p", "tcp", "--dport", "4003", "-j", "DROP"):
        stopped = pair.gaul(*words)
    assert (stopped.code, "add --skip-checks" in stopped.err) == (1, True)
    assert f"to {ROME}:4003" in stopped.err
    assert {row["used"] for row in pair.rome.rows("legion", "join-token", "ls")} == {0}
    joined = pair.gaul(*words)
    assert joined.code == 0, joined.text
    assert joined.out.startswith("gaul is node ")
    # From now on it asks by its own key, whose name is no other node's.
    ended = pair.gaul("doctor", "-o", "json")
    rows = {row["check"]: row["result"] for row in json.loads(ended.out)}
    assert (rows[f"back from {ROME}"], rows["host name"]) == ("ok", "ok")


def test_a_port_of_the_manager_that_nobody_has_or_that_is_dropped(pair: Pair):
    check = f"to {ROME}:4003"
    links = ("INPUT", "-p", "tcp", "--dport", "4003", "-j")
    with ruled(pair.there, *links, "REJECT", "--reject-with", "tcp-reset"):
        refused = pair.doctor()[check]
    assert (refused["result"], refused["found"]) == ("problem", "connection refused")
    with ruled(pair.there, *links, "DROP"):
        dropped = pair.doctor()[check]
    assert (dropped["result"], dropped["found"]) == ("problem", "no answer within 3 s")
    assert dropped["fix"].startswith("let 4003/tcp through")


def test_a_port_that_another_program_has(pair: Pair):
    with listening(pair.here, 4002):
        taken = pair.doctor()["port 4002"]
    assert taken["result"] == "problem"
    assert "taken by python" in taken["found"]
    assert pair.doctor()["port 4002"]["result"] == "ok"


def test_a_kernel_that_passes_nothing_on(pair: Pair):
    switch = ["ip", "netns", "exec", pair.here, "sysctl", "-qw"]
    subprocess.run([*switch, "net.ipv4.ip_forward=0"], check=True)
    assert pair.doctor()["ip_forward"]["result"] == "problem"
    subprocess.run([*switch, "net.ipv4.ip_forward=1"], check=True)
    assert pair.doctor()["ip_forward"]["result"] == "ok"


def test_a_way_that_leads_into_the_cluster_s_range(pair: Pair):
    ip("-n", pair.here, "route", "add", "10.98.0.0/15", "dev", pair.here)
    found = pair.doctor("--network-pool", "10.98.0.0/16")["subnets"]
    assert (found["result"], pair.here in found["found"]) == ("problem", True)
    ip("-n", pair.here, "route", "delete", "10.98.0.0/15", "dev", pair.here)


def test_a_network_of_the_engine_in_the_cluster_s_range(pair: Pair):
    name, pool = f"{pair.here}-net", "10.98.64.0/20"
    pair.rome.docker("network", "create", "--subnet", "10.98.65.0/24", name)
    try:
        clash = pair.doctor("--network-pool", pool)["subnets"]
        covered = pair.doctor("--network-pool", "10.98.65.0/24")["subnets"]
    finally:
        pair.rome.docker("network", "rm", name)
    assert clash["found"] == f"the engine's network {name} (10.98.65.0/24) lies in the cluster's range {pool}"
    assert (clash["result"], covered["result"]) == ("warning", "problem")
    assert f"docker network rm {name}" in clash["fix"]
    assert pair.doctor("--network-pool", pool)["subnets"]["result"] == "ok"


@pytest.mark.parametrize(
    ("size", "kibibytes", "files", "result", "words"),
    [
        ("1m", 900, 1, "warning", "88 % full"),
        ("1m", 1000, 1, "problem", "98 % full"),
        ("1m,nr_inodes=100", 0, 98, "problem", "99 % full, of its files"),
    ],
)
def test_a_full_disk(pair: Pair, tmp_path: Path, size: str, kibibytes: int, files: int, result: str, words: str):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(tmp_path)], check=True)
    try:
        for number in range(files):
            (tmp_path / str(number)).write_bytes(b"x" * 1024 * kibibytes)
        found = pair.doctor("--data-dir", str(tmp_path / "data"))["disk of gbnt's data"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert (found["result"], words in found["found"]) == (result, True), found
