"""What the runtime needs from outside, and does not know: a codec and a way to other nodes."""

from __future__ import annotations

from typing import Protocol

from supervisor.address import Address


class Codec(Protocol):
    """Turns messages and replies into bytes and back. Either raises where that cannot be done."""

    def encode(self, value: object, /) -> bytes:
        """Return the bytes for a registered message or a plain JSON value."""

    def decode(self, data: bytes, /) -> object:
        """Return a value equal to the one encoded."""


class Router(Protocol):
    """Carries messages to actors of other nodes."""

    def tell(self, address: Address, message: object, /) -> None:
        """Send, never block, never raise: what cannot be sent is a dead letter."""

    async def ask(self, address: Address, message: object, /, *, timeout: float) -> object:
        """Send and return the reply. Raises as `Ref.ask` does."""
