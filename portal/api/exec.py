"""`/v1/tasks/{task}/exec`: a command in a task's container, over a WebSocket.

It speaks the subprotocol `gbnt.exec.v1`. The client's first message is the command, a JSON object. Then either side
sends binary messages, whose first byte says what the rest is, and small JSON objects.

    client   0 and what is typed    {"resize": {"rows": 24, "columns": 80}}    {"eof": true}
    server   1 and what was written to standard output, 2 to standard error    {"taken": 1234}
             last {"exit": 0}, or {"error": "...", "code": "..."}

`taken` tells how many bytes of what was typed were passed on since the last: who keeps no more than 256 KiB ahead of it
is noticed at once when it leaves, whatever the command does not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import anyio
import orjson
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.websockets import WebSocket, WebSocketDisconnect

from actors import protocol
from actors.stream import HungUp, Stream
from cluster.container import ExecSpec
from cluster.model import Task
from portal.api.auditing import begin, conclude, specify
from portal.api.bodies import parsed
from portal.api.endpoint import socket
from portal.api.lines import LEFT, End
from portal.api.parting import parting
from portal.api.problems import Problem
from portal.api.requests import backend_of, state_of
from portal.api.tasks import find
from portal.backend import EngineFailed

PROTOCOL = "gbnt.exec.v1"
TYPED, STDOUT, STDERR = b"\0", b"\1", b"\2"
# Messages that are read ahead of what the command takes: more than a client sends that heeds `taken`.
READ_AHEAD = 64


@dataclass(frozen=True, slots=True)
class Size:
    """Of a terminal, in characters."""

    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Told:
    """A JSON message of the client."""

    resize: Size | None = None
    eof: bool = False


async def run(websocket: WebSocket) -> None:
    """Run a command in the container of a task that runs."""
    task = await _task(websocket)
    await websocket.accept(PROTOCOL)
    conclude(websocket, LEFT)
    with suppress(WebSocketDisconnect):
        last = await _Session(websocket, task).run()
        conclude(websocket, _end(last))
        await websocket.send_text(orjson.dumps(last).decode())
        await websocket.close()


async def _task(websocket: WebSocket) -> Task:
    """The task, if it can be asked for in this way. Raises Problem."""
    if PROTOCOL not in websocket.scope["subprotocols"]:
        raise Problem("invalid", f"this speaks the WebSocket subprotocol {PROTOCOL} alone: ask for that")
    task = find(await state_of(websocket), websocket.path_params["task"])
    if task.ended or not task.container_id:
        raise Problem("conflict", f"task {task.name} has no container that runs: {task.message}")
    return task


class _Session:
    """One command, from its first message to its end."""

    def __init__(self, websocket: WebSocket, task: Task) -> None:
        self._websocket = websocket
        self._task = task
        self._last: dict[str, object] | None = None

    async def run(self) -> dict[str, object]:
        """Serve it, and return the last message. Raises WebSocketDisconnect where there is nobody to send that to."""
        try:
            spec = parsed(_text(await self._websocket.receive()), ExecSpec)
            if not spec.command:
                raise Problem("invalid", "the command is empty: name the program to run")
            # The program alone: what it is told may be secret.
            specify(self._websocket, detail=f"runs {spec.command[0]}")
            await begin(self._websocket)
            async with backend_of(self._websocket).exec(self._task, self._task.container_id, spec) as stream:
                await self._serve(stream)
        except Problem as problem:
            return _error(problem.detail, problem.code)
        except EngineFailed as error:
            return _error(str(error), "conflict")
        if self._last is None:
            raise WebSocketDisconnect
        return self._last

    async def _serve(self, stream: Stream) -> None:
        """Pass on both ways until either side ends. What goes wrong is noted, for a task group would wrap it."""
        send, receive = anyio.create_memory_object_stream[Mapping[str, Any]](READ_AHEAD)
        async with anyio.create_task_group() as race:
            race.start_soon(self._listen, send, race.cancel_scope)
            race.start_soon(self._pass_in, receive, stream, race.cancel_scope)
            race.start_soon(self._part, race.cancel_scope)
            self._last = await self._pass_out(stream)
            race.cancel_scope.cancel()

    async def _listen(self, send: MemoryObjectSendStream[Mapping[str, Any]], scope: anyio.CancelScope) -> None:
        """Read ahead, so that a client that leaves is noticed."""
        with send:
            while (message := await self._websocket.receive())["type"] == "websocket.receive":
                await send.send(message)
        scope.cancel()

    async def _pass_in(
        self, receive: MemoryObjectReceiveStream[Mapping[str, Any]], stream: Stream, scope: anyio.CancelScope
    ) -> None:
        try:
            with receive:
                async for message in receive:
                    await self._take(message, stream)
        except HungUp:
            return
        except Problem as problem:
            self._last = _error(problem.detail, problem.code)
            scope.cancel()

    async def _take(self, message: Mapping[str, Any], stream: Stream) -> None:
        data = message.get("bytes")
        if data is None:
            told = parsed(_text(message), Told)
            if told.resize is not None:
                await stream.send(protocol.Resized(told.resize.rows, told.resize.columns))
            if told.eof:
                await stream.send(protocol.TypedAll())
        elif data[:1] == TYPED:
            await stream.send(protocol.Typed(data[1:]))
            await self._websocket.send_text(f'{{"taken": {len(data) - 1}}}')
        else:
            raise Problem("invalid", "a binary message begins with a byte 0, and what is typed after that")

    async def _pass_out(self, stream: Stream) -> dict[str, object]:
        try:
            while True:
                match await stream.receive():
                    case protocol.Printed(name, data):
                        await self._websocket.send_bytes((STDOUT if name == "stdout" else STDERR) + data)
                    case protocol.Exited(code):
                        return {"exit": code}
                    case protocol.Failed(reason):
                        return _error(reason, "conflict")
        except HungUp as error:
            return _error(f"the connection to the command in task {self._task.name} broke: {error}", "unavailable")

    async def _part(self, scope: anyio.CancelScope) -> None:
        why = await parting(self._websocket.scope)
        self._last = _error(f"{why.detail}; the command goes on by itself", why.code)
        scope.cancel()


def _text(message: Mapping[str, Any]) -> str:
    if message["type"] != "websocket.receive":
        raise WebSocketDisconnect
    text = message.get("text")
    if not isinstance(text, str):
        raise Problem("invalid", "the first message is the command as a JSON object")
    return text


def _error(detail: str, code: str) -> dict[str, object]:
    return {"error": detail, "code": code}


def _end(last: Mapping[str, object]) -> End:
    """What the audit says of the last message."""
    return End(str(last["code"]), str(last["error"])) if "error" in last else End("done", f"exit {last['exit']}")


ENDPOINTS = (socket("/v1/tasks/{task}/exec", run, body=ExecSpec),)
