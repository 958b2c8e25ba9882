"""Logs and commands of tasks on other machines, over real links, as a person and a script have them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO

import pytest

from tests.e2e.node import until
from tests.e2e.person import Person, at_terminal
from tests.lab.lab import Lab, lab
from tests.lab.machine import Machine
from tests.lab.space import only_child

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(300)]

FILE = """
services:
  web:
    image: busybox
    command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1; done"]
    stop_grace_period: 1s
    deploy:
      placement: {constraints: [node.hostname == rome-2]}
  counts:
    image: busybox
    command: [sh, -c, "seq 1 100000; sleep 1000"]
    stop_grace_period: 0s
    deploy:
      placement: {constraints: [node.hostname == rome-2]}
  ticks:
    image: busybox
    command: [sh, -c, "i=1; while :; do echo $$i; i=$$((i + 1)); sleep 1; done"]
    stop_grace_period: 0s
    deploy:
      placement: {constraints: [node.hostname == rome-2]}
"""

CUT = b"it is read on when that is over"

# 20,000 lines a second in all, from each machine.
RAIN = """
services:
  floods:
    image: busybox
    command: [sh, -c, "i=1; while :; do seq $$i $$((i + 1999)); i=$$((i + 2000)); sleep 0.3; done"]
    logging: {options: {max-size: 1g}}  # Docker 20.10 loses and repeats lines for who follows them over a rotation
    stop_grace_period: 0s
    deploy: {replicas: 3}
"""


@pytest.fixture(scope="module")
def three() -> Iterator[Lab]:
    """Three machines that are one cluster, and this test on the first of them, the manager."""
    with lab(3) as one:
        one.legion()
        rome = one.machines[0]
        with rome.host.space.network():
            rome.bring_up(FILE, "shop")
            rome.bring_up(RAIN, "rain")
            yield one


@pytest.fixture
def rome(three: Lab) -> Machine:
    return three.machines[0]


def at(rome: Machine, *words: str, rows: int = 24, columns: int = 80) -> AbstractContextManager[Person]:
    """A person who runs gbnt."""
    return at_terminal([*rome.client, *words], rome.environment, rows, columns)


@contextmanager
def reading(rome: Machine, *words: str) -> Iterator[IO[bytes]]:
    """What gbnt prints, in one stream, as it comes."""
    command = [*rome.client, *words]
    environment = rome.environment
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()


# -- commands ----------------------------------------------------------------------------------------------------------


def test_a_shell_is_as_one_on_this_machine(rome: Machine) -> None:
    with at(rome, "exec", "-it", "shop-web-1", "sh", rows=30, columns=100) as person:
        person.sees(b"# ")
        assert not person.is_cooked()
        person.type(b"stty size; hostname\n")
        person.sees(b"30 100\r\n")
        person.drag(40, 120)
        until_size(person, b"40 120")
        person.type(b"sleep 1000\n")
        person.sees(b"sleep 1000\r\n")
        person.type(b"\x03")  # reaches the sleep, and neither the shell nor gbnt
        person.sees(b"^C")
        person.sees(b"# ")
        person.type(b"exit 42\n")
        assert person.waits() == 42
        assert person.is_cooked()


def until_size(person: Person, size: bytes) -> None:
    """The size arrives by a way of its own: ask until it is there."""

    def asked() -> bool:
        person.type(b"stty size\n")
        return size in person.sees(b"# ")

    until(asked, "a terminal of that size")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_terminal_is_put_back_whatever_ends_the_program(rome: Machine, number: signal.Signals) -> None:
    with at(rome, "exec", "-it", "shop-web-1", "sh") as person:
        person.sees(b"# ")
        assert not person.is_cooked()
        person.process.send_signal(number)
        assert person.waits() == 128 + number
        assert person.is_cooked()


def test_a_script_pipes_into_a_command_and_has_its_streams_and_its_code(rome: Machine) -> None:
    options = ("-i", "-e", "GREETING=salve", "-w", "/tmp", "-u", "1000")
    script = "cat; echo $GREETING; pwd >&2; id -u >&2; exit 3"
    command = [*rome.client, "task", "exec", *options, "shop-web-1", "--", "sh", "-c", script]
    data = bytes(range(256)) * 20_000
    ran = subprocess.run(command, env=rome.environment, input=data, capture_output=True)
    assert ran.returncode == 3
    assert ran.stdout == data + b"salve\n"
    assert ran.stderr == b"/tmp\n1000\n"


def test_what_cannot_be_done_is_a_sentence_and_a_code(rome: Machine) -> None:
    gbnt = rome.gbnt
    absent = gbnt("exec", "shop-web-1", "no-such-command")
    assert (absent.code, "executable file not found" in absent.text) == (126, True)
    nobody = gbnt("exec", "shop-web-9", "true")
    assert (nobody.code, 'error: there is no task "shop-web-9"' in nobody.err) == (1, True)
    no_terminal = gbnt("exec", "-it", "shop-web-1", "sh", stdin="")
    assert (no_terminal.code, "the input is no terminal" in no_terminal.err) == (2, True)
    nothing = gbnt("exec", "shop-web-1", "--")
    assert (nothing.code, "say what to run" in nothing.err) == (2, True)


def test_who_only_looks_runs_nothing(rome: Machine) -> None:
    made = rome.ok("token", "create", "--role", "viewer", "looks").split()
    secret = next(word for word in made if word.startswith("gbnt_"))
    viewer = {**rome.environment, "GBNT_API_TOKEN": secret}
    command = [*rome.client, "exec", "shop-web-1", "true"]
    ran = subprocess.run(command, env=viewer, capture_output=True, text=True)
    assert (ran.returncode, "has the role viewer, which may not do this" in ran.stderr) == (4, True)


def test_without_a_context_the_admin_socket_is_the_way(rome: Machine) -> None:
    bare = {**rome.environment, "GBNTCTL_CONFIG": str(rome.folder / "none")}
    command = [*rome.client, "exec", "shop-web-1", "echo", "salve"]
    ran = subprocess.run(command, env=bare, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "salve\n", "")


# -- logs --------------------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_lines_arrive_in_order(rome: Machine) -> None:
    until(lambda: "100000" in rome.ok("task", "logs", "shop-counts-1", "--tail", "1"), "all lines written")
    lines = rome.ok("task", "logs", "shop-counts-1").splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == [str(number) for number in range(1, 100_001)]


def test_a_reader_that_stands_still_costs_no_memory_and_holds_nobody_up(three: Lab, rome: Machine) -> None:
    assert len({row["node"] for row in rome.rows("task", "ls") if row["service"] == "floods"}) == 3
    with reading(rome, "logs", "-f", "rain/floods") as still:
        still.readline()
        with reading(rome, "logs", "-f", "rain/floods", "--tail", "1") as quick:
            lines = [quick.readline() for _ in range(50_000)]
            before = memory(three)
            lines += [quick.readline() for _ in range(150_000)]
            assert memory(three) < before + 20 * 1024
        numbers: dict[bytes, list[int]] = {}
        for line in lines:
            if CUT in line:  # told, on a machine with no time for anything; what comes after it goes on where it was
                continue
            task, number = line.split(b" | ")
            numbers.setdefault(task, []).append(int(number))
        assert len(numbers) == 3
        for read in numbers.values():
            assert read == list(range(read[0], read[0] + len(read)))


def memory(three: Lab) -> int:
    """What gbnt has in memory on all machines, in KiB."""
    total = 0
    for process in processes(three):
        with open(f"/proc/{process}/status") as status:
            total += next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return total


def processes(three: Lab) -> Iterator[int]:
    """gbnt's number on each machine."""
    for machine in three.machines:
        assert machine.process is not None
        yield only_child(machine.process.pid)


def test_who_leaves_frees_all_that_was_held_for_it(three: Lab, rome: Machine) -> None:
    before = descriptors(three)
    rounds = 5
    for _ in range(rounds):
        for words in ("logs -f rain/floods", "logs -f shop/ticks", "exec shop-web-1 cat /dev/zero"):
            with reading(rome, *words.split()) as stream:
                stream.read(1)
    # Each had several; connections of other kinds come and go meanwhile.
    until(lambda: descriptors(three) < before + rounds, "about as many descriptors as before")


def descriptors(three: Lab) -> int:
    return sum(len(os.listdir(f"/proc/{process}/fd")) for process in processes(three))


def test_a_machine_that_dies_meanwhile_is_told_and_read_on_when_it_is_back(three: Lab, rome: Machine) -> None:
    worker = three.machines[1]
    with reading(rome, "logs", "-f", "shop/ticks") as log, at(rome, "exec", "-i", "shop-web-1", "cat") as typist:
        typist.type(b"salve\n")
        typist.sees(b"salve\r\nsalve\r\n")
        lines = [log.readline()]
        worker.kill9()
        while CUT not in lines[-1]:
            lines.append(log.readline())
        assert lines.pop().startswith(b"shop-ticks-1 | the stream from the machine of task shop-ticks-1 was cut")
        assert typist.waits() == 3
        assert b"broke" in typist.seen
        worker.start()
        lines += [log.readline() for _ in range(20)]
    assert lines == [b"shop-ticks-1 | %d\n" % number for number in range(1, len(lines) + 1)]


def test_a_machine_that_is_cut_off_in_silence_is_missed(three: Lab, rome: Machine) -> None:
    with at(rome, "exec", "-it", "shop-web-1", "cat") as typist:
        typist.type(b"salve\n")
        typist.sees(b"salve\r\nsalve\r\n")
        three.cut(three.machines[1])
        assert typist.waits() == 3
        assert typist.is_cooked()
        assert b"nothing was heard of" in typist.seen
        three.heal()
    until(lambda: rome.gbnt("exec", "shop-web-1", "true").code == 0, "commands again")
