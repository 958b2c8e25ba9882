"""What somebody read of a thing, with the wish to change it as it was read: see `cluster.decide.versions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["cluster", "node", "stack", "service", "draft"]

ANY = "*"
"""Any version of a thing that is there."""


@dataclass(frozen=True, slots=True)
class Expected:
    """That a thing is there as somebody read it, or (`ANY`) that it is there at all."""

    kind: Kind
    key: str
    version: str
