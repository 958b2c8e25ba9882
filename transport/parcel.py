"""What travels from one node to another: a message, a question, an answer, a watch; and how many become one batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from transport.frames import encode_batch

if TYPE_CHECKING:
    from transport.delivery import Lane

# What a parcel costs beside its body, about: its part of the head, and the object.
OVERHEAD = 64


class Parcel:
    """One of them, encoded. `run` is its entry in the head of a batch, None for a message that is told.

    With a `path` it needs room in that actor's mailbox, and waits for credit; without one it needs none. An `express`
    one goes before the others, as the answer to a local ask does not wait behind messages. No frozen dataclass, for the
    reason that `Envelope` is none.
    """

    __slots__ = ("body", "lane", "message", "path", "size", "tag")

    run: list[Any] | None = None
    deadline: float | None = None
    express = False

    def __init__(self, path: str, tag: str, body: bytes, message: object = None) -> None:
        self.path = path
        self.tag = tag
        self.body = body
        self.message = message
        self.size = len(body) + OVERHEAD
        self.lane: Lane | None = None


class Special(Parcel):
    """All that is no message told."""

    __slots__ = ("deadline", "express", "run")

    def __init__(
        self,
        run: list[Any],
        body: bytes = b"",
        *,
        path: str = "",
        message: object = None,
        deadline: float | None = None,
        express: bool = False,
    ) -> None:
        super().__init__(path, "", body, message)
        self.run = run
        self.deadline = deadline
        self.express = express


def question(path: str, tag: str, body: bytes, message: object, id: int, deadline: float) -> Parcel:
    """An ask, with the moment at which its asker stops waiting."""
    return Special(["a", path, tag, id, 0, len(body)], body, path=path, message=message, deadline=deadline)


def answer(id: int, tag: str, body: bytes) -> Parcel:
    """The reply to a question of the peer."""
    return Special(["r", id, tag, len(body)], body, express=True)


def note(kind: str, *parts: object) -> Parcel:
    """What has no body: a failed ask (f), a watch (w) and its end (u), a watched actor's end (n)."""
    return Special([kind, *parts, 0], express=kind == "f")


def to_batch(first: int, parcels: Iterable[Parcel], now: float) -> bytes:
    """Return a frame with these parcels, the first of which has that number. A question takes its remaining time."""
    runs: list[Any] = []
    bodies: list[bytes] = []
    path = tag = None
    lengths: list[int] = []
    for parcel in parcels:
        body = parcel.body
        bodies.append(body)
        if parcel.run is None:
            if parcel.path != path or parcel.tag != tag:
                path, tag, lengths = parcel.path, parcel.tag, []
                runs.append(("t", path, tag, lengths))
            lengths.append(len(body))
            continue
        path = None
        if parcel.deadline is not None:  # a question's
            parcel.run[4] = max(0, int((parcel.deadline - now) * 1000))
        runs.append(parcel.run)
    return encode_batch(first, runs, bodies)
