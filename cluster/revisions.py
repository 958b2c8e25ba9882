"""What a stack said from one deploy on, and what it is to say one day. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster.spec import StackSpec


@dataclass(frozen=True, slots=True)
class StackRevision:
    """What a stack said from one deploy on: `changes` of its services, by the token called `by`; see `Origin`.

    `spec` is the whole stack, kept services too. `sources` are sealed; `size` is of both and of the
    contents of its configs, in bytes. `of` is the number of the revision that it goes back to, 0 where it goes on.
    """

    stack: str
    number: int
    at: float
    by: str
    changes: Mapping[str, str]
    spec: StackSpec
    sources: str = field(default="", repr=False)
    size: int = 0
    of: int = 0

    @property
    def key(self) -> str:
        """What it is kept under."""
        return f"{self.stack}@{self.number}"


@dataclass(frozen=True, slots=True)
class StackDraft:
    """What a stack is to say one day; it need not be there. As of `StackRevision`, `sources` are sealed.

    With `refusals` it cannot be deployed, and they say why: the spec is not all that the files say then.
    """

    stack: str
    at: float
    by: str
    spec: StackSpec
    sources: str = field(default="", repr=False)
    refusals: tuple[str, ...] = ()
