"""A container's output as Docker sends it: frames of eight bytes and a payload, or raw bytes where there is a terminal.

The framing is described at `ContainerAttach` in the Engine API reference.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from engine.port import LogLine

_HEADER = struct.Struct(">BxxxL")

# A program that never ends its line must not fill our memory; what is longer is cut into several lines.
LONGEST_LINE = 256 * 1024

Stream = Literal["stdout", "stderr"]


@dataclass(slots=True)
class FrameReader:
    """Bytes in, lines out, for a container without a terminal.

    Docker splits a line beyond 16 KiB into several frames, each with a time stamp of its own; here they are one again.
    """

    _bytes: bytearray = field(default_factory=bytearray)
    _begun: dict[Stream, tuple[str, bytearray]] = field(default_factory=dict)

    def feed(self, chunk: bytes) -> Iterator[LogLine]:
        """The lines that this chunk completes."""
        self._bytes += chunk
        while len(self._bytes) >= _HEADER.size:
            kind, size = _HEADER.unpack_from(self._bytes)
            if len(self._bytes) < _HEADER.size + size:
                return
            payload = bytes(self._bytes[_HEADER.size : _HEADER.size + size])
            del self._bytes[: _HEADER.size + size]
            yield from self._frame("stderr" if kind == 2 else "stdout", payload)

    def end(self) -> Iterator[LogLine]:
        """The lines that were begun and never ended."""
        for stream, (at, text) in self._begun.items():
            yield _line(at, stream, text)
        self._begun.clear()

    def _frame(self, stream: Stream, payload: bytes) -> Iterator[LogLine]:
        stamp, _, text = payload.partition(b" ")
        at, begun = self._begun.pop(stream, (stamp.decode(), bytearray()))
        begun += text
        if begun.endswith(b"\n") or len(begun) >= LONGEST_LINE:
            yield _line(at, stream, begun)
        else:
            self._begun[stream] = (at, begun)


@dataclass(slots=True)
class TerminalReader:
    """Bytes in, lines out, for a container with a terminal, where everything is standard output."""

    _bytes: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: bytes) -> Iterator[LogLine]:
        """The lines that this chunk completes."""
        *whole, rest = (self._bytes + chunk).split(b"\n")
        self._bytes = rest
        for line in whole:
            yield self._line(line)
        if len(self._bytes) >= LONGEST_LINE:
            yield from self.end()

    def end(self) -> Iterator[LogLine]:
        """The line that was begun and never ended."""
        if self._bytes:
            yield self._line(self._bytes)
        self._bytes = bytearray()

    @staticmethod
    def _line(raw: bytearray) -> LogLine:
        stamp, _, text = raw.partition(b" ")
        return _line(stamp.decode(errors="replace"), "stdout", text)


def _line(at: str, stream: Stream, text: bytearray) -> LogLine:
    return LogLine(at, stream, text.decode(errors="replace").removesuffix("\n").removesuffix("\r"))
