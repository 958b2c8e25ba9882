"""Where a manager is to be found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A manager's host, the port of its API, and that of its links."""

    host: str
    api_port: int
    link_port: int
