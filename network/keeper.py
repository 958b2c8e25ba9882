"""Keeps the resolver of this machine alive and up to date, from gbnt's side.

The resolver outlives gbnt: `ensure` adopts the one that runs, and starts one only where none does. Stopping gbnt does
not stop it.

    ResolverError
    +-- ResolverUnstartable   it cannot be started: its command failed, or it does not answer
    +-- ResolverGone          it does not answer (any more); `ensure` starts another
    +-- ResolverRefused       it did not take what it was given: a fault in gbnt
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from cluster.zones import Zones
from network.resolver.terms import MOST_BYTES, RUNNING_ALREADY, SOCKET, VERSION
from network.resolver.zonefile import encode

PATIENCE = 10.0
PAUSE = 0.02
BOOTED = Path("/run/systemd/system")  # there exactly where systemd is the init system: sd_booted(3)


class ResolverError(Exception):
    """The resolver does not do its work. The text is one sentence for a person."""


class ResolverUnstartable(ResolverError):
    """No resolver could be started."""


class ResolverGone(ResolverError):
    """The resolver does not answer."""


class ResolverRefused(ResolverError):
    """The resolver did not understand what it was told."""


@dataclass(frozen=True, slots=True)
class ResolverStatus:
    """How the resolver is. `bind_errors` maps each address that it cannot listen on to the reason."""

    serial: int
    version: int
    pid: int
    listening: tuple[str, ...] = ()
    bind_errors: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)


class ResolverKeeper:
    """The client of one runtime directory's resolver. `command` starts one; `--runtime-dir DIR` is appended to it."""

    def __init__(self, runtime_dir: Path, *, command: Sequence[str]) -> None:
        self._socket = runtime_dir / SOCKET
        self._command = (*command, "--runtime-dir", os.fspath(runtime_dir))

    async def ensure(self) -> ResolverStatus:
        """Adopt the resolver that runs, or start one. Raises ResolverUnstartable.

        One of another version is replaced in its own process: the new one inherits its sockets and its zones, and no
        question goes unanswered.
        """
        try:
            status = await self.status()
        except ResolverGone:
            return await self._start()
        if status.version == VERSION:
            return status
        try:
            await self._ask({"op": "replace", "command": self._command})
            return await self._answering(VERSION)
        except ResolverError:
            await self.stop()
            return await self._start()

    async def publish(self, zones: Zones) -> int:
        """Put zones in force; their serial, once every answer is by them. Raises ResolverGone, ResolverRefused."""
        return (await self._ask({"op": "zones", "zones": encode(zones)})).serial

    async def status(self) -> ResolverStatus:
        """How the resolver is. Raises ResolverGone."""
        return await self._ask({"op": "status"})

    async def stop(self) -> None:
        """Stop the resolver, and return when it has let go of its sockets. One that does not run is fine."""
        try:
            await self._ask({"op": "stop"})
            with anyio.move_on_after(PATIENCE):
                while True:
                    await self.status()
                    await anyio.sleep(PAUSE)
        except ResolverGone:
            return
        raise ResolverError(f"the resolver was told to stop {PATIENCE:.0f} s ago and still answers")

    async def _start(self) -> ResolverStatus:
        """Start one in a scope of its own where there can be one; without it a resolver is better than none."""
        if scope := _own_scope():
            with contextlib.suppress(ResolverUnstartable):
                return await self._run([*scope, *self._command])
        return await self._run(self._command)

    async def _run(self, command: Sequence[str]) -> ResolverStatus:
        """Run the command, which detaches, and wait for the answer: ours, or that of one who was started meanwhile."""
        try:
            with anyio.fail_after(PATIENCE):
                ended = await anyio.run_process(command, stdin=subprocess.DEVNULL, check=False, start_new_session=True)
        except TimeoutError as error:
            raise ResolverUnstartable(f"the resolver was not up in {PATIENCE:.0f} s: {' '.join(command)}") from error
        except OSError as error:
            raise ResolverUnstartable(f"the resolver cannot be started: {error}") from error
        if ended.returncode not in (0, RUNNING_ALREADY):
            said = ended.stderr.decode(errors="replace").strip() or f"exit code {ended.returncode}"
            raise ResolverUnstartable(f"the resolver cannot be started: {said}")
        return await self._answering(None)

    async def _answering(self, version: int | None) -> ResolverStatus:
        """The status of a resolver that is about to answer, of this version or (None) of any."""
        with anyio.move_on_after(PATIENCE):
            while True:
                with contextlib.suppress(ResolverGone):
                    status = await self.status()
                    if version in (None, status.version):
                        return status
                await anyio.sleep(PAUSE)
        raise ResolverUnstartable(
            f"a resolver runs but does not answer at {self._socket}; end the process that resolver.pid beside it names"
        )

    async def _ask(self, request: Mapping[str, Any]) -> ResolverStatus:
        try:
            with anyio.fail_after(PATIENCE):
                async with await anyio.connect_unix(self._socket) as stream:
                    await stream.send(json.dumps(request).encode() + b"\n")
                    line = await BufferedByteReceiveStream(stream).receive_until(b"\n", MOST_BYTES)
            reply = json.loads(line)
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead) as error:
            raise ResolverGone(f"the resolver does not answer at {self._socket}") from error
        if "error" in reply:
            raise ResolverRefused(f"the resolver refused: {reply['error']}")
        return ResolverStatus(
            serial=reply["serial"],
            version=reply["version"],
            pid=reply["pid"],
            listening=tuple(reply.get("listening", ())),
            bind_errors=reply.get("bind_errors", {}),
            counters=reply.get("counters", {}),
        )


def _own_scope() -> tuple[str, ...]:
    """What to put before the command where systemd started gbnt: a scope, or stopping gbnt's unit would end it too.

    It stands before the engine's service, so that a machine that goes down ends it after the last container.
    """
    if "INVOCATION_ID" in os.environ and BOOTED.is_dir():
        words = ("--scope", "--quiet", "--collect", "--no-ask-password", "--property=Before=docker.service")
        return ("systemd-run", *words, "--description=Gubernator resolver")
    return ()
