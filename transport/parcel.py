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

    __slots__ = ("body", "deadline", "express", "lane", "message", "path", "run", "size", "tag")

    def __init__(
        self,
        path: str,
        tag: str,
        body: bytes,
        message: object = None,
        run: list[Any] | None = None,
        deadline: float | None = None,
    ) -> None:
        self.path = path
        self.tag = tag
        self.body = body
        self.message = message
        self.run = run
        self.deadline = deadline
        self.size = len(body) + OVERHEAD
        self.lane: Lane | None = None
        self.express = False


def question(path: str, tag: str, body: bytes, message: object, id: int, deadline: float) -> Parcel:
    """An ask, with the moment at which its asker stops waiting."""
    return Parcel(path, tag, body, message, ["a", path, tag, id, 0, len(body)], deadline)


def answer(id: int, tag: str, body: bytes) -> Parcel:
    """The reply to a question of the peer."""
    parcel = Parcel("", tag, body, run=["r", id, tag, len(body)])
    parcel.express = True
    return parcel


def note(kind: str, *parts: object) -> Parcel:
    """What has no body: a failed ask (f), a watch (w) and its end (u), a watched actor's end (n)."""
    parcel = Parcel("", "", b"", run=[kind, *parts, 0])
    parcel.express = kind == "f"
    return parcel


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
        if parcel.deadline is not None:
            parcel.run[4] = max(0, int((parcel.deadline - now) * 1000))
        runs.append(parcel.run)
    return encode_batch(first, runs, bodies)
