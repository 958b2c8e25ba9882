"""A command in a task's container, with this program's standard streams for its own. See portal/api/exec.py."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cli import terminal
from cli.client.tasks import task_path
from cli.connect import open_websocket
from cli.errors import BadInput, CliError, NotAllowed, Unreachable
from cli.table import Row

if TYPE_CHECKING:
    from cli.websocket import WebSocket

PROTOCOL = "gbnt.exec.v1"
STDIN, STDOUT, STDERR = 0, 1, 2
CHUNK = 16 * 1024
# Typed ahead of what the command's machine has taken; beyond it the manager may not notice that this program left.
AHEAD = 256 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run, and how. `stdin` attaches this program's standard input, `tty` gives the command a terminal."""

    command: Sequence[str]
    tty: bool = False
    stdin: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_dir: str = ""

    def message(self) -> str:
        """The first message."""
        rows, columns = terminal.size(STDOUT) if self.tty else (0, 0)
        fields = {name: getattr(self, name) for name in ("tty", "stdin", "user", "working_dir")}
        size = {"rows": rows, "columns": columns}
        return json.dumps({"command": list(self.command), "environment": dict(self.environment), **fields, **size})


def run(task: str, wanted: Wanted, context: str) -> int:
    """Run it, and return its exit code. Raises CliError where it could not be run, or was lost sight of."""
    if wanted.tty and wanted.stdin and not os.isatty(STDIN):
        raise BadInput("the input is no terminal: leave out -t, or run this in one")
    sys.stdout.flush()
    websocket = open_websocket(f"{task_path(task)}/exec", PROTOCOL, context)
    try:
        websocket.send(wanted.message())
        with ExitStack() as stack:
            resized = stack.enter_context(terminal.resizes()) if wanted.tty else -1
            if wanted.tty and wanted.stdin:
                stack.enter_context(terminal.raw(STDIN))
            return _Attachment(websocket, wanted.stdin, resized).run()
    finally:
        websocket.close()


class _Attachment:
    """Passes on what is typed and what is written, until the command ends. `resized` tells of sizes; -1 of none."""

    def __init__(self, websocket: WebSocket, typing: bool, resized: int) -> None:
        self._websocket = websocket
        self._typing = typing
        self._resized = resized
        self._ahead = 0

    def run(self) -> int:
        while self._websocket.open:
            ready, _, _ = select.select(self._sources(), [], [])
            if self._resized in ready:
                os.read(self._resized, CHUNK)
                rows, columns = terminal.size(STDOUT)
                self._tell({"resize": {"rows": rows, "columns": columns}})
            if STDIN in ready:
                self._type()
            for message in self._websocket.receive() if self._websocket in ready else ():
                if isinstance(message, bytes):
                    _write(STDERR if message[:1] == b"\2" else STDOUT, message[1:])
                elif (code := self._heard(json.loads(message))) is not None:
                    return code
        raise Unreachable(
            "the connection to the manager ended before the command did; it may go on in its container", sent=True
        )

    def _sources(self) -> list[WebSocket | int]:
        typing = [STDIN] if self._typing and self._ahead < AHEAD else []
        return [self._websocket, *typing, *([self._resized] if self._resized >= 0 else [])]

    def _type(self) -> None:
        try:
            data = os.read(STDIN, CHUNK)
        except OSError:
            data = b""  # a terminal that has hung up
        if data:
            self._ahead += len(data)
            self._websocket.send(b"\0" + data)
        else:
            self._typing = False
            self._tell({"eof": True})

    def _tell(self, message: Row) -> None:
        self._websocket.send(json.dumps(message))

    def _heard(self, message: Row) -> int | None:
        if "error" in message:
            raise _failure(str(message["error"]), str(message.get("code")))
        self._ahead -= message.get("taken", 0)
        return message.get("exit")


def _failure(text: str, code: str) -> CliError:
    match code:
        case "unavailable":
            return Unreachable(text, sent=True)
        case "unauthorized":
            return NotAllowed(text)
        case "invalid":
            return BadInput(text)
    return CliError(text)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
