"""A command that runs in a container of the fake engine: what it does is a function, called whenever there is news."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cluster.container import ExecSpec
from engine.fake_container import KILLED, FakeContainer
from engine.port import Output

MISSING = 127


@dataclass(slots=True)
class Typing:
    """What a command sees and does: how its terminal is, what was typed so far, and what it writes."""

    spec: ExecSpec
    rows: int
    columns: int
    typed: bytearray = field(default_factory=bytearray)
    at_end: bool = False
    written: deque[Output] = field(default_factory=deque)

    def write(self, data: bytes, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Write something."""
        self.written.append(Output("stdout" if self.spec.tty else stream, data))

    def take(self) -> bytes:
        """Read all that was typed."""
        taken = bytes(self.typed)
        self.typed.clear()
        return taken


Command = Callable[[Typing], int | None]
"""Takes note of what is new, and gives its exit code once it ends. It is called anew when all it wrote was read."""


class FakeExecution:
    """An `engine.port.Execution`. `until` waits for a condition as the engine does."""

    def __init__(
        self,
        container: FakeContainer,
        spec: ExecSpec,
        commands: Mapping[str, Command],
        until: Callable[[Callable[[], bool]], Awaitable[None]],
        announce: Callable[[], None],
    ) -> None:
        self._container = container
        self._run = commands.get(spec.command[0] if spec.command else "", _absent)
        self._typing = Typing(spec, spec.rows, spec.columns, at_end=not spec.stdin)
        self._until = until
        self._announce = announce
        self._code: int | None = None

    async def read(self) -> Output | None:
        await self._until(self._has_news)
        return self._typing.written.popleft() if self._typing.written else None

    async def write(self, data: bytes) -> None:
        self._typing.typed += data
        await self._go_on()

    async def write_end(self) -> None:
        self._typing.at_end = True
        await self._go_on()

    async def resize(self, rows: int, columns: int) -> None:
        self._typing.rows, self._typing.columns = rows, columns
        await self._go_on()

    async def exit_code(self) -> int:
        await self._until(self._ended)
        assert self._code is not None
        return self._code

    async def _go_on(self) -> None:
        self._ended()
        self._announce()
        await self._until(lambda: True)

    def _has_news(self) -> bool:
        written = self._typing.written
        if not written:
            self._ended()
        return bool(written) or self._code is not None

    def _ended(self) -> bool:
        if self._code is None:
            self._code = self._run(self._typing) if self._container.running else KILLED
        return self._code is not None


def _absent(typing: Typing) -> int:
    name = typing.spec.command[0] if typing.spec.command else ""
    typing.write(f'exec: "{name}": executable file not found in $PATH\n'.encode())
    return MISSING
