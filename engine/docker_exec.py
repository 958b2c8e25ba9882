"""A command that runs in a container of the Docker Engine."""

from __future__ import annotations

from typing import Any

import anyio

from cluster.container import ExecSpec
from engine.docker_connection import Connection, Duplex
from engine.port import Conflict, NotFound, Output, Refused

# From this API version on the engine takes the terminal's size with the command; to an older one it is told afterwards.
SIZE_API = (1, 42)
# The engine forwards a size only once the command has begun, which is a moment after it has said so.
SIZE_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2)
END_PAUSES = (0.01, 0.05, 0.2)


def exec_body(spec: ExecSpec, *, api: tuple[int, int]) -> dict[str, Any]:
    """The body of an exec's creation in this version of Docker's API."""
    body: dict[str, Any] = {
        "AttachStdin": spec.stdin,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": spec.tty,
        "Cmd": spec.command,
        "Env": [f"{name}={text}" for name, text in spec.environment.items()],
        "User": spec.user,
        "WorkingDir": spec.working_dir,
    }
    if api >= SIZE_API and spec.tty and spec.rows and spec.columns:
        body["ConsoleSize"] = [spec.rows, spec.columns]
    return body


class DockerExecution:
    """An `engine.port.Execution`. `where` is its path in the engine's API."""

    def __init__(self, engine: Connection, duplex: Duplex, where: str, about: tuple[str, str]) -> None:
        self._engine = engine
        self._duplex = duplex
        self._where = where
        self._about = about

    async def read(self) -> Output | None:
        if (said := await self._duplex.read()) is None:
            return None
        number, data = said
        return Output("stderr" if number == 2 else "stdout", data)

    async def write(self, data: bytes) -> None:
        await self._duplex.write(data)

    async def write_end(self) -> None:
        self._duplex.write_end()

    async def resize(self, rows: int, columns: int) -> None:
        size = {"h": str(rows), "w": str(columns)}
        for pause in SIZE_PAUSES:
            try:
                await self._engine.json("POST", f"{self._where}/resize", about=self._about, params=size)
            except (NotFound, Conflict, Refused):
                if not (await self._look())["Running"]:
                    return
                await anyio.sleep(pause)
            else:
                return

    async def exit_code(self) -> int:
        pauses = iter(END_PAUSES)
        pause = 0.0
        while (found := await self._look())["Running"] or found["ExitCode"] is None:
            pause = next(pauses, pause)
            await anyio.sleep(pause)
        code: int = found["ExitCode"]
        return code

    async def _look(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._engine.json("GET", f"{self._where}/json", about=self._about)
        return found
