"""Logs and commands of tasks on another machine, over a real link, as a person and a script have them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from tests.e2e.legion import Legion, legion
from tests.e2e.node import until
from tests.e2e.person import Person, at_terminal

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

FILE = """
services:
  web:
    image: busybox
    command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1; done"]
    stop_grace_period: 1s
    deploy:
      placement: {constraints: [node.role == worker]}
  counts:
    image: busybox
    command: [sh, -c, "seq 1 100000; sleep 1000"]
    stop_grace_period: 0s
    deploy:
      placement: {constraints: [node.role == worker]}
  ticks:
    image: busybox
    command: [sh, -c, "i=1; while :; do echo $$i; i=$$((i + 1)); sleep 1; done"]
    stop_grace_period: 0s
    deploy:
      placement: {constraints: [node.role == worker]}
  floods:
    image: busybox
    command: [sh, -c, "i=1; while :; do seq $$i $$((i + 1999)); i=$$((i + 2000)); sleep 0.1; done"]
    logging: {options: {max-size: 1g}}  # Docker 20.10 loses and repeats lines for who follows them over a rotation
    stop_grace_period: 0s
    deploy:
      placement: {constraints: [node.role == worker]}
"""


@pytest.fixture(scope="module")
def two() -> Iterator[Legion]:
    with legion() as both:
        both.manager.bring_up(FILE, "shop")
        yield both


def at(two: Legion, *words: str, **size: int):
    """A person who runs gbnt."""
    return at_terminal([*two.manager.client, *words], two.manager.environment, **size)


@contextmanager
def reading(two: Legion, *words: str) -> Iterator[IO[bytes]]:
    """What gbnt prints, in one stream, as it comes."""
    command = [*two.manager.client, *words]
    environment = two.manager.environment
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()


# -- commands ----------------------------------------------------------------------------------------------------------


def test_a_shell_is_as_one_on_this_machine(two: Legion) -> None:
    with at(two, "exec", "-it", "shop-web-1", "sh", rows=30, columns=100) as person:
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
def test_a_terminal_is_put_back_whatever_ends_the_program(two: Legion, number: signal.Signals) -> None:
    with at(two, "exec", "-it", "shop-web-1", "sh") as person:
        person.sees(b"# ")
        assert not person.is_cooked()
        person.process.send_signal(number)
        assert person.waits() == 128 + number
        assert person.is_cooked()


def test_a_script_pipes_into_a_command_and_has_its_streams_and_its_code(two: Legion) -> None:
    options = ("-i", "-e", "GREETING=salve", "-w", "/tmp", "-u", "1000")
    script = "cat; echo $GREETING; pwd >&2; id -u >&2; exit 3"
    command = [*two.manager.client, "task", "exec", *options, "shop-web-1", "--", "sh", "-c", script]
    data = bytes(range(256)) * 20_000
    ran = subprocess.run(command, env=two.manager.environment, input=data, capture_output=True)
    assert ran.returncode == 3
    assert ran.stdout == data + b"salve\n"
    assert ran.stderr == b"/tmp\n1000\n"


def test_what_cannot_be_done_is_a_sentence_and_a_code(two: Legion) -> None:
    gbnt = two.manager.gbnt
    absent = gbnt("exec", "shop-web-1", "no-such-command")
    assert (absent.code, "executable file not found" in absent.text) == (126, True)
    nobody = gbnt("exec", "shop-web-9", "true")
    assert (nobody.code, 'error: there is no task "shop-web-9"' in nobody.err) == (1, True)
    no_terminal = gbnt("exec", "-it", "shop-web-1", "sh", stdin="")
    assert (no_terminal.code, "the input is no terminal" in no_terminal.err) == (2, True)
    nothing = gbnt("exec", "shop-web-1", "--")
    assert (nothing.code, "say what to run" in nothing.err) == (2, True)


def test_who_only_looks_runs_nothing(two: Legion) -> None:
    made = two.manager.ok("token", "create", "--role", "viewer", "looks").split()
    secret = next(word for word in made if word.startswith("gbnt_"))
    viewer = {**two.manager.environment, "GBNT_API_TOKEN": secret}
    command = [*two.manager.client, "exec", "shop-web-1", "true"]
    ran = subprocess.run(command, env=viewer, capture_output=True, text=True)
    assert (ran.returncode, "has the role viewer, which may not do this" in ran.stderr) == (4, True)


def test_without_a_context_the_admin_socket_is_the_way(two: Legion) -> None:
    bare = {**two.manager.environment, "GBNTCTL_CONFIG": str(two.manager.folder / "none")}
    command = [*two.manager.client, "exec", "shop-web-1", "echo", "salve"]
    ran = subprocess.run(command, env=bare, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "salve\n", "")


# -- logs --------------------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_lines_arrive_in_order(two: Legion) -> None:
    until(lambda: "100000" in two.manager.ok("task", "logs", "shop-counts-1", "--tail", "1"), "all lines written")
    lines = two.manager.ok("task", "logs", "shop-counts-1").splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == [str(number) for number in range(1, 100_001)]


def test_a_reader_that_stands_still_costs_no_memory_and_holds_nobody_up(two: Legion) -> None:
    with reading(two, "logs", "-f", "shop/floods") as still:
        still.readline()
        before = memory(two)
        with reading(two, "logs", "-f", "shop/floods", "--tail", "1") as quick:
            numbers = [int(quick.readline().rpartition(b" ")[2]) for _ in range(200_000)]
        assert numbers == list(range(numbers[0], numbers[0] + 200_000))
        assert memory(two) < before + 50 * 1024


def memory(two: Legion) -> int:
    """What both processes have in memory, in KiB."""
    total = 0
    for one in (two.manager, two.worker):
        assert one.process is not None
        with open(f"/proc/{one.process.pid}/status") as status:
            total += next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return total


def test_who_leaves_frees_all_that_was_held_for_it(two: Legion) -> None:
    before = descriptors(two)
    rounds = 5
    for _ in range(rounds):
        for words in ("logs -f shop/floods", "logs -f shop/ticks", "exec shop-web-1 cat /dev/zero"):
            with reading(two, *words.split()) as stream:
                stream.read(1)
    # Each had several; connections of other kinds come and go meanwhile.
    until(lambda: descriptors(two) < before + rounds, "about as many descriptors as before")


def descriptors(two: Legion) -> int:
    total = 0
    for one in (two.manager, two.worker):
        assert one.process is not None
        total += len(os.listdir(f"/proc/{one.process.pid}/fd"))
    return total


def test_a_machine_that_dies_meanwhile_is_told_and_read_on_when_it_is_back(two: Legion) -> None:
    with reading(two, "logs", "-f", "shop/ticks") as log, at(two, "exec", "-i", "shop-web-1", "cat") as typist:
        typist.type(b"salve\n")
        typist.sees(b"salve\r\nsalve\r\n")
        lines = [log.readline()]
        two.worker.kill9()
        while b"it is read on when that is over" not in lines[-1]:
            lines.append(log.readline())
        assert lines.pop().startswith(b"shop-ticks-1 | the stream from the machine of task shop-ticks-1 was cut")
        assert typist.waits() == 3
        assert b"broke" in typist.seen
        two.worker.launch()
        lines += [log.readline() for _ in range(20)]
    assert lines == [b"shop-ticks-1 | %d\n" % number for number in range(1, len(lines) + 1)]
