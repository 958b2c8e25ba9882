"""The wire format: frames with a length in front, any number of them in a chunk.

    frame      length of what follows the kind (u32), kind (u8), content
    hello      JSON of `Hello`: the first frame either way
    data       length of the head (u32), head in JSON, bodies: a batch of parcels in the order of their numbers
    ack        JSON of `Ack`: what arrived, and what of it still waits for room in a full mailbox
    beat       nothing: the peer lives
    bye        JSON of `Bye`: why the sender leaves or refuses

The head of a batch is `[first number, [run, ...]]`. A run begins with its kind: `["t", path, tag, [length, ...]]` are
messages told to one actor, all other runs are one parcel each, with a body of the length that they name last:

    ["a", path, tag, question, milliseconds, length]   an ask; the milliseconds are what is left of its time
    ["r", question, tag, length]                       a reply
    ["f", question, [error, text, ...], 0]             an ask has failed
    ["w", path, watch, 0], ["u", watch, 0]             watch an actor, watch it no more
    ["n", watch, incarnation, reason, 0]               a watched actor has ended

The bodies stay as they are until the class that they are of is known, so that no JSON is parsed twice.

FrameError    the peer's fault: bytes that no node of ours sends. The link is closed; nobody else is harmed
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

HELLO, DATA, ACK, BEAT, BYE = b"HDABY"

# What a frame may hold beyond one message of the codec's largest size.
HEAD_ROOM = 1024 * 1024
MAX_FRAME = 16 * 1024 * 1024 + HEAD_ROOM
# Before a peer has said who it is.
MAX_HELLO = 1024 * 1024

_PREFIX = struct.Struct(">IB")
_LENGTH = struct.Struct(">I")


class FrameError(Exception):
    """What arrived is no frame. The text says what was wrong with it."""


@dataclass(frozen=True, slots=True)
class Hello:
    """Who speaks, and what it had received last. A later release may add fields: who does not know them ignores them.

    It speaks all protocols from `oldest` to `newest`. `heard` and `held` are those of an `Ack`, of what it received
    from the life `heard_boot` of the peer.
    """

    node: str
    boot: str
    cluster: str
    oldest: int
    newest: int
    heard_boot: str = ""
    heard: int = 0
    held: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ack:
    """All parcels up to `received` are in their mailboxes, but for the last `held[path]` of each path: those wait.

    `gap` asks for all from `received` on once more: something that came later showed that they were lost.
    """

    received: int
    held: Mapping[str, int] = field(default_factory=dict)
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Bye:
    """Why the sender closes the connection: it refuses the peer, it leaves for a while, or something was wrong."""

    reason: str
    refused: bool = False
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of parcels as it arrived: the first one's number, how many, the runs, and the bodies in their order."""

    first: int
    count: int
    runs: Sequence[Sequence[Any]]
    bodies: bytes


@dataclass(frozen=True, slots=True)
class Beat:
    """The peer lives."""


Frame = Hello | Batch | Ack | Beat | Bye

THE_BEAT = Beat()
BEAT_BYTES = _PREFIX.pack(0, BEAT)


def encode(frame: Hello | Ack | Bye) -> bytes:
    """Return a frame's bytes. For batches there is `encode_batch`."""
    kind = HELLO if type(frame) is Hello else ACK if type(frame) is Ack else BYE
    content = orjson.dumps(asdict(frame))
    return _PREFIX.pack(len(content), kind) + content


def encode_batch(first: int, runs: Sequence[Any], bodies: Sequence[bytes]) -> bytes:
    """Return the bytes of a batch."""
    head = orjson.dumps((first, runs))
    content = b"".join(bodies)
    size = _LENGTH.size + len(head) + len(content)
    return b"".join((_PREFIX.pack(size, DATA), _LENGTH.pack(len(head)), head, content))


class Cutter:
    """Takes chunks as they arrive, cut anywhere, and gives the frames. Holds at most one frame and one chunk."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._rest = bytearray()

    def cut(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield kind and content of the frames that are complete with this chunk.

        Raises FrameError; then the cutter is of no more use.
        """
        if self._rest:
            self._rest += chunk
            if len(self._rest) < self._wanted():
                return
            chunk = bytes(self._rest)
            self._rest.clear()
        position, end = 0, len(chunk)
        while end - position >= _PREFIX.size:
            size, kind = _PREFIX.unpack_from(chunk, position)
            self._check(size)
            begin = position + _PREFIX.size
            if begin + size > end:
                break
            position = begin + size
            yield kind, chunk[begin:position]
        self._rest += chunk[position:]

    def _wanted(self) -> int:
        if len(self._rest) < _PREFIX.size:
            return _PREFIX.size
        size: int = _LENGTH.unpack_from(self._rest)[0]
        self._check(size)
        return _PREFIX.size + size

    def _check(self, size: int) -> None:
        if size > self.max_bytes:
            raise FrameError(f"a frame of {size} bytes is more than the {self.max_bytes} that are taken here")


class FrameReader(Cutter):
    """Gives the frames of a link."""

    def __init__(self, max_bytes: int = MAX_HELLO) -> None:
        super().__init__(max_bytes)

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete with this chunk. Raises FrameError; then the reader is of no more use."""
        for kind, content in self.cut(chunk):
            yield decode(kind, content)


def framed(kind: int, content: bytes) -> bytes:
    """Return the bytes of one frame."""
    return _PREFIX.pack(len(content), kind) + content


def decode(kind: int, content: bytes) -> Frame:
    """Return what a frame holds. Raises FrameError."""
    if kind == DATA:
        return _decode_batch(content)
    if kind == BEAT:
        return THE_BEAT
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        raise FrameError(f"no frame is of the kind {kind}")
    try:
        frame: Frame = adapter.validate_json(content, strict=True)
    except ValidationError as error:
        raise FrameError(f"this frame of the kind {chr(kind)} cannot be read: {_first_fault(error)}") from error
    return frame


def _decode_batch(content: bytes) -> Batch:
    try:
        (length,) = _LENGTH.unpack_from(content)
        first, runs = orjson.loads(memoryview(content)[_LENGTH.size : _LENGTH.size + length])
        named = sum(map(_bytes_of, runs))
        count = sum(len(run[3]) if run[0] == "t" else 1 for run in runs)
    except (ValueError, TypeError, LookupError, struct.error) as error:
        raise FrameError(f"the head of a batch cannot be read: {type(error).__name__}: {error}") from error
    bodies = content[_LENGTH.size + length :]
    if not (type(first) is type(named) is int and first > 0 and named == len(bodies)):
        raise FrameError(f"a batch from {first!r} names {named} bytes and has {len(bodies)}")
    return Batch(first, count, runs, bodies)


def _bytes_of(run: Sequence[Any]) -> int:
    """Return how many bytes the bodies of a run have; raises anything where the run is none."""
    if run[0] == "t":
        _, path, tag, lengths = run
        if not (type(path) is str and type(tag) is str and lengths and min(lengths) > 0):
            raise ValueError("a run of messages is not as it should be")
        return operator.index(sum(lengths))
    shape = _SHAPES[run[0]]
    if len(run) != len(shape) or any(type(part) is not kind for part, kind in zip(run, shape, strict=True)):
        raise ValueError(f"a run {run[0]!r} is not as it should be")
    length = run[-1]
    if length < 0:
        raise ValueError("a body cannot be shorter than nothing")
    return int(length)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".lstrip(": ")


_SHAPES: Mapping[str, tuple[type, ...]] = {
    "a": (str, str, str, int, int, int),
    "r": (str, int, str, int),
    "f": (str, int, list, int),
    "w": (str, str, int, int),
    "u": (str, int, int),
    "n": (str, int, int, str, int),
}

_ADAPTERS: Mapping[int, TypeAdapter[Any]] = {
    HELLO: TypeAdapter(Hello),
    ACK: TypeAdapter(Ack),
    BYE: TypeAdapter(Bye),
}
