"""What systemd hears of a process, on a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from cli.notify import Notifier


@pytest.fixture
def systemd(home: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(home / "notify"))
        listening.settimeout(5)
        yield listening


def test_readiness_and_the_end_are_told(systemd: socket.socket):
    notifier = Notifier({"NOTIFY_SOCKET": systemd.getsockname()})
    notifier.ready("rome serves")
    notifier.stopping("stopping")
    assert systemd.recv(100) == b"READY=1\nSTATUS=rome serves"
    assert systemd.recv(100) == b"STOPPING=1\nSTATUS=stopping"


def test_an_address_without_a_file_is_understood():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")  # the kernel chooses one
        listening.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@{listening.getsockname()[1:].decode()}"}).ready("rome serves")
        assert listening.recv(100).startswith(b"READY=1")


@pytest.mark.anyio
async def test_a_watchdog_hears_that_the_loop_turns(systemd: socket.socket):
    environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "3000", "WATCHDOG_PID": str(os.getpid())}
    notifier = Notifier(environment)
    assert environment == {}  # what gbnt starts is not to speak in its name
    async with anyio.create_task_group() as group:
        group.start_soon(notifier.stay_alive)
        for _ in range(3):
            assert await anyio.to_thread.run_sync(systemd.recv, 100) == b"WATCHDOG=1"
        group.cancel_scope.cancel()


@pytest.mark.anyio
@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_USEC": "3000", "WATCHDOG_PID": "1"}])
async def test_nobody_is_told_who_did_not_ask(environment: dict[str, str]):
    notifier = Notifier(environment)
    notifier.ready("rome serves")
    await notifier.stay_alive()


def test_a_systemd_that_is_gone_is_no_reason_to_fail(home: Path, caplog: pytest.LogCaptureFixture):
    Notifier({"NOTIFY_SOCKET": str(home / "gone")}).ready("rome serves")
    assert "systemd cannot be told READY=1" in caplog.text
