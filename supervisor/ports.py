"""What the runtime needs from outside, and does not know: a codec and a way to other nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from supervisor.address import Address

if TYPE_CHECKING:
    from supervisor.watch import Watch


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

    async def offer(self, address: Address, message: object, /) -> None:
        """Send, waiting while too much is on its way to that address. Never raises; cancelled, it has sent nothing."""

    async def ask(self, address: Address, message: object, /, *, timeout: float) -> object:
        """Send and return the reply. Raises as `Ref.ask` does."""

    def watch(self, watch: Watch, /) -> None:
        """Notify the watch once: when its target has ended, or its node is down, restarts or cannot be reached."""

    def forget_watch(self, watch: Watch, /) -> None:
        """The watch has ended: notify it no more. Unknown is fine."""
