"""`gbnt exec` against the API itself, at a terminal and in a pipe; what is run is the test's."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import anyio
import anyio.from_thread
import pytest

from actors import protocol
from actors.stream import Stream
from cli.context import Context
from cli.context_changes import add_context
from portal.api.app import create_api
from portal.server import serve
from tests.cli.conftest import Run
from tests.e2e.person import at_terminal
from tests.portal.build import FakeNode, credential


@contextmanager
def api(node: FakeNode, home: Path, role: str = "operator") -> Iterator[None]:
    """The API of a node on loopback, and a context that leads there."""
    sock = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    add_context(Context("rome", url, "", credential(role).text), home / "config")
    stop: list[Callable[[], object]] = []
    ready = threading.Event()

    async def run() -> None:
        async with anyio.create_task_group() as group, anyio.from_thread.BlockingPortal() as portal:
            stop.append(lambda: portal.call(group.cancel_scope.cancel))
            group.start_soon(serve, create_api(node.backend()), sock)
            ready.set()
            await anyio.sleep_forever()

    thread = threading.Thread(target=lambda: anyio.run(run))
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        stop[0]()
        thread.join()


@pytest.fixture
def node() -> Iterator[FakeNode]:
    made = FakeNode()
    yield made
    made.close()


def gbnt(*words: str) -> list[str]:
    return [sys.executable, "-m", "gubernator", *words]


def surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


async def shell(stream: Stream) -> protocol.Exited:
    """Writes what it is told: keys as numbers, sizes in words. Ends with 7 at a q."""
    await stream.send(protocol.Printed("stdout", b"ready"))
    while True:
        match await stream.receive():
            case protocol.Typed(b"q"):
                return protocol.Exited(7)
            case protocol.Typed(data):
                await stream.send(protocol.Printed("stdout", b" ".join(b"<%d>" % key for key in data)))
            case protocol.Resized(rows, columns):
                await stream.send(protocol.Printed("stdout", b"[%d by %d]" % (rows, columns)))


def test_a_terminal_has_its_keys_its_size_and_its_own_state_back(node: FakeNode, home: Path):
    node.command = shell
    with api(node, home), at_terminal(gbnt("exec", "-it", "shop-web-1", "sh"), surroundings(), 30, 100) as person:
        person.sees(b"ready")
        assert not person.is_cooked()
        person.type(b"\x03")  # Ctrl-C is the command's
        person.sees(b"<3>")
        person.drag(40, 120)
        person.sees(b"[40 by 120]")
        person.type(b"q")
        assert person.waits() == 7
        assert person.is_cooked()
    [(container, spec)] = node.ran
    assert (container, spec.command, spec.tty, spec.stdin) == ("web1-container", ("sh",), True, True)
    assert (spec.rows, spec.columns) == (30, 100)


def test_a_manager_that_stops_gives_the_terminal_back(node: FakeNode, home: Path):
    node.command = shell
    with ExitStack() as stack:
        with api(node, home):
            person = stack.enter_context(at_terminal(gbnt("exec", "-it", "shop-web-1", "sh"), surroundings()))
            person.sees(b"ready")
        assert person.waits() == 3
        assert person.is_cooked()
        assert b"the manager stops; the command goes on by itself" in person.seen


def test_much_is_piped_through_a_command_that_begins_to_read_late(node: FakeNode, home: Path):
    data = bytes(range(256)) * 8_000

    async def late(stream: Stream) -> protocol.Exited:
        await stream.send(protocol.Printed("stderr", b"thinking"))
        await anyio.sleep(0.2)
        while isinstance(typed := await stream.receive(), protocol.Typed):
            await stream.send(protocol.Printed("stdout", typed.data))
        assert typed == protocol.TypedAll()
        return protocol.Exited(0)

    node.command = late
    command = gbnt("task", "exec", "-i", "-e", "A=b=c", "-e", "HOME", "-e", "NONE", "-w", "/srv", "-u", "7:8", "web1")
    with api(node, home):
        ran = subprocess.run(
            [*command, "--", "cat", "-u", "--", "x"],
            input=data,
            capture_output=True,
            check=False,
            env={**surroundings(), "HOME": "/root"},
        )
    assert (ran.returncode, ran.stdout == data, ran.stderr) == (0, True, b"thinking")
    [(_, spec)] = node.ran
    assert spec.command == ("cat", "-u", "--", "x")
    assert (spec.environment, spec.user, spec.working_dir) == ({"A": "b=c", "HOME": "/root"}, "7:8", "/srv")
    assert not spec.tty


def test_a_reader_that_leaves_ends_it_without_a_word(node: FakeNode, home: Path):
    async def flood(stream: Stream) -> object:
        while True:
            await stream.send(protocol.Printed("stdout", b"x" * 10_000))

    node.command = flood
    with api(node, home):
        line = f'"{sys.executable}" -m gubernator exec shop-web-1 yes | head -c 5'
        ran = subprocess.run(["sh", "-c", line], capture_output=True, check=False, env=surroundings())
    assert (ran.stdout, ran.stderr) == (b"xxxxx", b"")


@pytest.mark.parametrize(
    ("role", "words", "status", "said"),
    [
        ("operator", ("shop/web", "true"), 2, "shop/web is a service: say which of its tasks, as shop-web-1"),
        ("viewer", ("shop-web-1", "true"), 4, "has the role viewer, which may not do this"),
        ("nobody", ("shop-web-1", "true"), 4, "a good token is needed"),
        ("operator", ("shop-web-9", "true"), 1, 'there is no task "shop-web-9"'),
        ("operator", ("-e", "=x", "shop-web-1", "true"), 2, '"=x" is not NAME=VALUE'),
        ("operator", ("shop-web-1",), 2, "gbnt exec lacks COMMAND"),
        ("operator", ("shop-web-1", "true"), 1, "the test says what the command does"),
    ],
)
def test_what_is_refused_is_a_sentence(
    node: FakeNode, home: Path, gbnt: Run, role: str, words: tuple[str, ...], status: int, said: str
):
    with api(node, home, role):
        ran = gbnt("exec", *words)
    assert (ran.status, ran.out, said in ran.err) == (status, "", True)


def test_nobody_there_is_said(home: Path, gbnt: Run):
    add_context(Context("rome", "http://127.0.0.1:1", "", "gbnt_x_y"), home / "config")
    ran = gbnt("exec", "shop-web-1", "true")
    assert (ran.status, "no manager answers at http://127.0.0.1:1" in ran.err) == (3, True)
