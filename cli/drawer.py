"""Where a machine keeps its orders: one file, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from anyio import to_thread

from actors.keepsake import Unkept
from actors.protocol import Assign
from cli.home import write_private
from transport.codec import CodecError, JsonCodec


class FileDrawer:
    """Implements `actors.keepsake.Drawer` by a file that only its owner may read, for specs can hold secrets."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._codec = JsonCodec(max_bytes=256 * 1024 * 1024)

    async def load(self) -> Assign | None:
        """See `actors.keepsake.Drawer`."""
        try:
            orders = self._codec.decode(await to_thread.run_sync(self._path.read_bytes))
        except FileNotFoundError:
            return None
        except (OSError, CodecError) as error:
            raise Unkept(f"cannot read the orders in {self._path}: {error}; a manager gives them again") from error
        if not isinstance(orders, Assign):
            raise Unkept(f"{self._path} holds no orders: remove it, a manager gives them again")
        return orders

    async def save(self, orders: Assign) -> None:
        """See `actors.keepsake.Drawer`."""
        try:
            await to_thread.run_sync(write_private, self._path, self._codec.encode(orders))
        except (OSError, CodecError) as error:
            raise Unkept(f"cannot keep the orders in {self._path}: {error}; see that there is room") from error
