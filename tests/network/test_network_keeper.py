"""The resolver as a process: it outlives its starter, is adopted, and answers at once after a restart."""

from __future__ import annotations

import compileall
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import dnslib
import pytest

import cluster
import network
from network.keeper import ResolverGone, ResolverKeeper, ResolverRefused, ResolverStatus, ResolverUnstartable
from network.resolver.terms import RUNNING_ALREADY, VERSION
from tests.network.conftest import GATEWAY, OTHER_GATEWAY, Place, zones

pytestmark = pytest.mark.anyio


async def test_publish_is_a_barrier(place: Place) -> None:
    keeper = place.keeper()
    await keeper.ensure()
    for serial in range(1, 20):
        assert await keeper.publish(zones(serial, web=(f"10.0.0.{serial}",))) == serial
        assert place.addresses("web") == {f"10.0.0.{serial}"}
        assert place.addresses("web", tcp=True) == {f"10.0.0.{serial}"}


async def test_it_follows_the_gateways(place: Place) -> None:
    keeper = place.keeper()
    await keeper.ensure()
    await keeper.publish(zones(1, GATEWAY, web=("10.0.0.1",)))
    await keeper.publish(zones(2, OTHER_GATEWAY, web=("10.0.0.2",)))
    assert place.addresses("web", at=OTHER_GATEWAY) == {"10.0.0.2"}
    assert (await keeper.status()).listening == (OTHER_GATEWAY,)


async def test_an_address_that_does_not_exist_yet_can_be_listened_on(place: Place) -> None:
    keeper = place.keeper()
    await keeper.ensure()
    await keeper.publish(zones(1, "198.51.100.1"))
    status = await keeper.status()
    assert status.listening == ("198.51.100.1",)
    assert status.bind_errors == {}


async def test_a_taken_port_is_told_and_taken_once_it_is_free(place: Place) -> None:
    keeper = place.keeper()
    await keeper.ensure()
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind((GATEWAY, place.port))
        await keeper.publish(zones(1, web=("10.0.0.1",)))
        assert "in use" in (await keeper.status()).bind_errors[GATEWAY]
    while (await keeper.status()).bind_errors:
        await anyio.sleep(0.05)
    assert place.addresses("web") == {"10.0.0.1"}


async def test_a_running_resolver_is_adopted(place: Place) -> None:
    first = await place.keeper().ensure()
    second = await place.keeper().ensure()
    assert first.pid == second.pid == place.pid()


async def test_starters_in_a_race_end_with_one_resolver(place: Place) -> None:
    pids: set[int] = set()

    async def start() -> None:
        pids.add((await place.keeper().ensure()).pid)

    async with anyio.create_task_group() as starters:
        for _ in range(4):
            starters.start_soon(start)
    assert pids == {place.pid()}


async def test_it_outlives_the_process_that_started_it(place: Place) -> None:
    script = f"""
import anyio, os, signal
from pathlib import Path
from network.keeper import ResolverKeeper
from tests.network.conftest import zones
async def main():
    keeper = ResolverKeeper(Path({str(place.directory)!r}), command={place.command()!r})
    await keeper.ensure()
    await keeper.publish(zones(3, web=("10.0.0.3",)))
    os.killpg(0, signal.SIGKILL)
anyio.run(main)
"""
    started = subprocess.run([sys.executable, "-c", script], start_new_session=True, check=False)  # noqa: ASYNC221
    assert started.returncode == -signal.SIGKILL
    assert place.addresses("web") == {"10.0.0.3"}
    assert (await place.keeper().ensure()).serial == 3


async def test_a_killed_resolver_is_started_anew_and_answers_by_the_saved_zones(place: Place) -> None:
    keeper = place.keeper()
    killed = await keeper.ensure()
    await keeper.publish(zones(4, web=("10.0.0.4",)))
    os.kill(killed.pid, signal.SIGKILL)
    status = await keeper.ensure()
    assert status.pid != killed.pid
    assert status.serial == 4
    assert place.addresses("web") == {"10.0.0.4"}


async def test_saved_zones_that_are_broken_do_not_keep_it_from_starting(place: Place) -> None:
    (place.directory / "zones.json").write_text('{"serial": 4, "netw')
    assert (await place.keeper().ensure()).serial == 0
    assert "could not be read" in (place.directory / "resolver.log").read_text()


async def test_stop_lets_go_and_can_be_repeated(place: Place) -> None:
    keeper = place.keeper()
    await keeper.ensure()
    await keeper.stop()
    await keeper.stop()
    with pytest.raises(ResolverGone):
        await keeper.status()
    with pytest.raises(ResolverGone):
        await keeper.publish(zones())


async def test_only_its_owner_reaches_the_control_socket(place: Place) -> None:
    await place.keeper().ensure()
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.directory.iterdir() if path.name != "resolv.conf"}
    assert set(modes.values()) == {0o600}
    assert place.directory.stat().st_mode & 0o777 == 0o700


async def test_it_stays_small(place: Place) -> None:
    # As an installed one is: its modules compiled beforehand, not in the process that is to stay small.
    for package in (network, cluster, dnslib):
        compileall.compile_dir(Path(package.__file__ or "").parent, quiet=2)
    status = await place.keeper().ensure()
    assert proportional_kilobytes(status.pid) < 20_000


async def test_it_keeps_nothing_open_of_its_starter(place: Place) -> None:
    status = await place.keeper().ensure()
    process = Path(f"/proc/{status.pid}")
    assert os.readlink(process / "cwd") == "/"
    assert os.getsid(status.pid) == status.pid
    opened = set[str]()
    for link in (process / "fd").iterdir():
        with suppress(FileNotFoundError):  # what it closes meanwhile, as the connection that it has answered
            opened.add(os.readlink(link))
    assert opened
    assert not [name for name in opened if name.startswith(("pipe:", "/dev/pts"))]


async def test_a_command_that_fails_is_told_in_its_own_words(place: Place) -> None:
    keeper = ResolverKeeper(place.directory, command=("sh", "-c", "echo no such luck >&2; exit 5"))
    with pytest.raises(ResolverUnstartable, match="no such luck"):
        await keeper.ensure()


async def test_a_command_that_does_not_exist_is_told(place: Place) -> None:
    with pytest.raises(ResolverUnstartable, match="cannot be started"):
        await ResolverKeeper(place.directory, command=("/nonexistent/gbnt",)).ensure()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b'"zones"',
        b"{",
        b'{"op": "dance"}',
        b'{"op": "zones"}',
        b'{"op": "zones", "zones": []}',
        b'{"op": "zones", "zones": {"serial": 9, "clients": {"nobody": []}, "networks": {}}}',
        b'{"op": "zones", "zones": {"serial": 9, "clients": {}, "networks": {"n": {"gateway": "fe80::1"}}}}',
        b"\xff\xfe",
    ],
)
async def test_what_the_control_socket_does_not_understand_changes_nothing(place: Place, line: bytes) -> None:
    keeper = place.keeper()
    await keeper.ensure()
    await keeper.publish(zones(1, web=("10.0.0.1",)))
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(place.directory / "resolver.sock"))
        control.sendall(line + b"\n")
        assert "error" in json.loads(control.makefile().readline())
    assert (await keeper.status()).serial == 1
    assert place.addresses("web") == {"10.0.0.1"}


async def test_zones_that_cannot_be_are_refused(place: Place) -> None:
    keeper = place.keeper()
    await keeper.ensure()
    with pytest.raises(ResolverRefused, match="not understood"):
        await keeper.publish(zones(1, web=("not an address",)))


def proportional_kilobytes(pid: int) -> int:
    """The process's memory, with what it shares counted in shares."""
    words = Path(f"/proc/{pid}/smaps_rollup").read_text().split()
    return int(words[words.index("Pss:") + 1])


def of_another_version(place: Place, version: int) -> ResolverKeeper:
    """A keeper that starts resolvers of this version."""
    program = f"""
import sys
from network.resolver import control, main
control.VERSION = {version}
sys.exit(main.main(sys.argv[1:]))
"""
    return ResolverKeeper(place.directory, command=(sys.executable, "-c", program, *place.command()[3:]))


async def test_another_version_is_replaced_and_no_question_lost(place: Place) -> None:
    old = of_another_version(place, 0)
    started = await old.ensure()
    await old.publish(zones(5, web=("10.0.0.5",)))
    answered: list[set[str]] = []
    replaced = anyio.Event()

    async def ask(tcp: bool) -> None:
        while not replaced.is_set():
            answered.append(await anyio.to_thread.run_sync(lambda: place.addresses("web", tcp=tcp)))

    async with anyio.create_task_group() as clients:
        clients.start_soon(ask, False)
        clients.start_soon(ask, True)
        new = await place.keeper().ensure()
        replaced.set()
    assert (new.version, new.pid, new.serial) == (VERSION, started.pid, 5)
    assert all(addresses == {"10.0.0.5"} for addresses in answered)
    assert (await place.keeper().ensure()).pid == started.pid
    third = await anyio.run_process([*place.command(), "--runtime-dir", str(place.directory)], check=False)
    assert third.returncode == RUNNING_ALREADY


async def test_a_successor_that_cannot_be_run_leaves_the_old_one_answering(place: Place) -> None:
    keeper = place.keeper()
    status = await keeper.ensure()
    await keeper.publish(zones(6, web=("10.0.0.6",)))
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(place.directory / "resolver.sock"))
        control.sendall(b'{"op": "replace", "command": ["/nonexistent/gbnt"]}\n')
        control.makefile().readline()
    assert place.addresses("web") == {"10.0.0.6"}
    while "cannot be run" not in (place.directory / "resolver.log").read_text():
        await anyio.sleep(0.01)
    assert (await keeper.ensure()).pid == status.pid


async def test_one_in_the_foreground_waits_for_its_turn_and_goes_on_with_the_names(place: Place) -> None:
    keeper = place.keeper()
    first = await keeper.ensure()
    await keeper.publish(zones(7, web=("10.0.0.7",)))
    command = [*place.command(), "--runtime-dir", str(place.directory), "--foreground"]
    async with await anyio.open_process(command, stderr=None) as second:
        os.kill(first.pid, signal.SIGKILL)
        status = await until_answered(keeper)
        assert (status.pid, status.serial) == (second.pid, 7)
        await keeper.stop()
        assert await second.wait() == 0


async def until_answered(keeper: ResolverKeeper) -> ResolverStatus:
    while True:
        try:
            return await keeper.status()
        except ResolverGone:
            await anyio.sleep(0.01)


async def test_where_there_can_be_no_scope_the_resolver_is_started_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refusing = tmp_path / "systemd-run"
    refusing.write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/asked"\nexit 1\n')
    refusing.chmod(0o755)
    monkeypatch.setattr("network.keeper.BOOTED", tmp_path)
    monkeypatch.setenv("INVOCATION_ID", "1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert (await place.keeper().ensure()).pid == place.pid()
    assert (tmp_path / "asked").read_text().startswith("--scope ")
