"""What happened in the cluster, in order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something that changed: `revision` and `number` place it among all others.

    `request` is the id of the API's request that it goes back to; empty where nobody asked for it.
    """

    revision: int
    number: int
    at: float
    kind: str
    subject: str
    message: str
    request: str = ""
