"""The lab itself: its machines are machines, its faults are faults, and nothing is left of either."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.node import until
from tests.lab.lab import IMAGE, lab, plan
from tests.lab.machine import Machine

pytestmark = [pytest.mark.engine, pytest.mark.slow]

PORT = 7000
HTTPD = ("httpd", "-f", "-p", str(PORT))
# Longer than any answer takes that comes; a cut is known by this alone.
SILENCE = 1.0


@contextmanager
def listening(machine: Machine) -> Iterator[socket.socket]:
    with machine.host.space.network(), socket.create_server(("", PORT), backlog=200) as server:
        yield server


def connects(machine: Machine, host: str, port: int = PORT) -> bool:
    """Whether somebody answers this machine there."""
    with machine.host.space.network():
        try:
            socket.create_connection((host, port), timeout=SILENCE).close()
        except OSError:
            return False
    return True


def run(machine: Machine, *words: str, name: str = "one") -> str:
    """A container of the lab's image; its id."""
    return machine.docker("run", "--detach", "--name", name, *words).strip()


def test_each_machine_has_a_name_an_address_and_an_engine_that_knows_its_own_containers_alone(three):
    for machine in three.machines:
        run(machine, IMAGE, "sleep", "600", name=machine.name)
    seen = {
        machine.run("hostname").out.strip(): machine.docker("ps", "--format", "{{.Names}}")
        for machine in three.machines
    }
    assert seen == {"rome-1": "rome-1\n", "rome-2": "rome-2\n", "rome-3": "rome-3\n"}
    rome, second, third = three.machines
    with listening(second):
        assert connects(rome, second.address)
        assert connects(second, second.address)
        assert not connects(rome, third.address)


def test_a_machine_forwards_nothing_that_its_engine_did_not_allow(three):
    rome, host, _ = three.machines
    run(host, IMAGE, *HTTPD)
    run(host, "--publish", f"8080:{PORT}", IMAGE, *HTTPD, name="published")
    inside = host.docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "one").strip()
    rome.host.space.link(f"route add 172.17.0.2 via {host.address}")
    assert until(lambda: connects(rome, host.address, 8080), "a published port")
    assert until(lambda: connects(host, inside), "a container that answers its own machine")
    assert not connects(rome, inside)


def test_a_cut_cuts_both_ways_and_spares_the_others_until_it_is_healed(three):
    rome, second, third = three.machines
    with listening(second), listening(third):
        three.cut(third)
        assert [connects(*way) for way in ways(rome, second, third)] == [True, False, False]
        with listening(rome):
            assert not connects(third, rome.address)
        three.heal()
        until(lambda: all(connects(*way) for way in ways(rome, second, third)), "machines that reach each other")


def ways(rome: Machine, second: Machine, third: Machine) -> list[tuple[Machine, str]]:
    return [(rome, second.address), (rome, third.address), (second, third.address)]


def test_two_that_are_cut_off_together_reach_each_other(three):
    rome, second, third = three.machines
    three.cut(second, third)
    with listening(third):
        assert connects(second, third.address)
        assert not connects(rome, third.address)


def test_of_what_is_lost_by_chance_some_arrives(three):
    rome, second, _ = three.machines
    with listening(rome):
        assert connects(second, rome.address)  # they know each other's cards, whatever is lost from now on
    three.lose(50, second)
    with rome.host.space.network(), socket.socket(type=socket.SOCK_DGRAM) as hearer:
        hearer.bind((rome.address, PORT))
        hearer.settimeout(SILENCE)
        with second.host.space.network(), socket.socket(type=socket.SOCK_DGRAM) as speaker:
            for _ in range(200):
                speaker.sendto(b"x", (rome.address, PORT))
        heard = sum(1 for _ in iter(lambda: datagram(hearer), b""))
    assert 40 < heard < 160


def datagram(hearer: socket.socket) -> bytes:
    try:
        return hearer.recv(1)
    except TimeoutError:
        return b""


def test_a_delay_is_there_both_ways_for_small_frames_and_large_ones(three):
    rome, second, third = three.machines
    three.switch.delay(2, 0.05)
    assert round_trip(rome, second, 1_000_000) >= 0.1
    assert round_trip(second, rome, 1_000_000) >= 0.1
    until(lambda: round_trip(rome, third, 1) < 0.1, "a machine whose frames are not delayed")
    three.heal()
    until(lambda: round_trip(rome, second, 1) < 0.1, "frames that are not delayed any more")


def round_trip(one: Machine, other: Machine, size: int) -> float:
    """The seconds until `one` is connected; what it then sends must arrive as it was."""
    with listening(other) as server:
        with one.host.space.network():
            began = time.monotonic()
            sender = socket.create_connection((other.address, PORT), timeout=5)
            took = time.monotonic() - began
        with sender, server.accept()[0] as receiver, receiver.makefile("rb") as stream:
            sent = os.urandom(size)
            child = os.fork()
            if not child:
                sender.sendall(sent)
                os._exit(0)
            received = stream.read(size)
            os.waitpid(child, 0)
        assert received == sent
    return took


def test_an_engine_that_was_killed_comes_back_on_its_data_and_without_its_containers_as_on_a_stock_host(three):
    _, second, _ = three.machines
    run(second, "--stop-signal", "KILL", IMAGE, "sleep", "600")
    second.host.end("KILL")
    assert not second.host.answers()
    second.host.start()
    until(
        lambda: second.docker("ps", "--all", "--format", "{{.State}}") == "exited\n",
        "a container that the engine ended",
    )


def test_a_machine_whose_power_was_cut_is_there_again_with_its_disk_and_its_address(three):
    rome, second, _ = three.machines
    run(second, "--restart", "always", "--publish", f"8080:{PORT}", IMAGE, *HTTPD)
    assert until(lambda: connects(rome, second.address, 8080), "a container that answers")
    second.power_off()
    assert not connects(rome, second.address, 8080)
    second.power_on()
    assert until(lambda: connects(rome, second.address, 8080), "a container that its engine started again")


def test_nothing_is_left_of_a_lab():
    before = census()
    with lab(2) as one:
        run(one.machines[0], IMAGE, "sleep", "600")
        one.cut(one.machines[1])
        one.switch.delay(1, 0.01)
        assert processes(one.folder)
        assert groups(one.folder)
        assert census() == before, "all of it is in namespaces of its own"
    assert census() == before
    assert processes(one.folder) == []
    assert groups(one.folder) == []
    assert not one.folder.exists()


def census() -> dict[str, set[str]]:
    """What this machine has of all that a network is made of, but for what its own engine makes and ends by itself."""
    said = {
        "links": [line for line in lines("ip", "-o", "link") if not line.startswith(("veth", "br-"))],
        "namespaces": lines("ip", "netns"),
        "tables": lines("nft", "list", "tables"),
        "rules": [line for line in lines("nft", "list", "ruleset") if "10.98." in line or "lab" in line],
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if "gbnt-lab" in line],
    }
    return {what: set(those) for what, those in said.items()}


def groups(folder: Path) -> list[Path]:
    """The control groups that a lab's folder gave its name to."""
    return [path for pattern in ("", "*/") for path in Path("/sys/fs/cgroup").glob(f"{pattern}{folder.name}*")]


def lines(*words: str) -> list[str]:
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.partition(": ")[2] or line for line in said]


def processes(folder: Path) -> list[str]:
    """The processes that name a lab's folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if os.fsencode(folder) in words:
            found.append(str(path))
    return found


MAKE_AND_DIE = """
import os, sys
from pathlib import Path
from tests.lab.lab import plan
plan(Path(sys.argv[1]), 1).up()
os.kill(os.getpid(), 9)
"""


def test_a_lab_ends_when_its_maker_is_killed():
    folder = Path(tempfile.mkdtemp(prefix="gbnt-lab-", dir="/tmp"))
    made = subprocess.run([sys.executable, "-c", MAKE_AND_DIE, folder], cwd=Path(__file__).parents[2])
    assert made.returncode == -9
    until(lambda: not processes(folder), "the end of all that the lab ran")
    plan(folder, 1).down()
