"""What a machine does over a stream by its engine: sends logs, runs commands."""

from __future__ import annotations

from contextlib import aclosing

import anyio

from actors import protocol
from actors.stream import HungUp, Stream
from cluster.container import ExecSpec
from engine.port import Engine, EngineError, Execution


async def send_logs(engine: Engine, wanted: protocol.OpenLogs, stream: Stream) -> protocol.DoneWell:
    """Send a container's output. Who takes nothing holds up what is read of the engine."""
    logs = engine.logs(wanted.container, follow=wanted.follow, tail=wanted.tail, since=wanted.since)
    async with aclosing(logs) as batches:
        async for lines in batches:
            await stream.send(protocol.LogLines(tuple(lines)))
    return protocol.DoneWell()


async def run_command(engine: Engine, container: str, spec: ExecSpec, stream: Stream) -> protocol.Exited:
    """Run a command in a container. Who takes nothing of what it writes holds it up."""
    async with engine.exec(container, spec) as execution:
        async with anyio.create_task_group() as group:
            group.start_soon(_pass_in, stream, execution)
            failure = await _pass_out(execution, stream)
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return protocol.Exited(await execution.exit_code())


async def _pass_out(execution: Execution, stream: Stream) -> EngineError | HungUp | None:
    """Send what is written until the end of it. What goes wrong is returned, for a task group would wrap it."""
    try:
        while (output := await execution.read()) is not None:
            await stream.send(protocol.Printed(output.stream, output.data))
    except (EngineError, HungUp) as error:
        return error
    return None


async def _pass_in(stream: Stream, execution: Execution) -> None:
    try:
        while True:
            match await stream.receive():
                case protocol.Typed(data):
                    await execution.write(data)
                case protocol.TypedAll():
                    await execution.write_end()
                case protocol.Resized(rows, columns):
                    await execution.resize(rows, columns)
    except (EngineError, HungUp):
        return  # whoever reads what it writes is told
