"""What keeps machines and managers fit: room, load and snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import orjson

from cli.client.part import Part

if TYPE_CHECKING:
    from cli.session import Params
    from portal.api.pruning import PruneLine
    from portal.load_rows import LoadLine
    from portal.shapes import Changed, SnapshotRow
    from portal.usage import UsageLine


class Upkeep(Part):
    """What engines keep, how busy all is, and the copies of the cluster's state."""

    def usage(self) -> Iterator[UsageLine]:
        """What each machine's engine keeps, as soon as it has said; `unknown` is why one did not."""
        return self._session.lines("GET", "/v1/system/df")

    def prunable(self, params: Params) -> Iterator[PruneLine]:
        """What a pruning would put away: a line for each machine and each volume."""
        return self._session.lines("GET", "/v1/system/prune", params)

    def prune(self, order: Mapping[str, object]) -> Iterator[PruneLine]:
        """Have what nothing needs put away, the same lines of what went. See the manager's `Pruning`."""
        return self._session.lines("POST", "/v1/system/prune", body=[orjson.dumps(order)])

    def stats(self, params: Params) -> Iterator[LoadLine]:
        """How busy tasks and machines are: a line, and with `follow` another every `interval` seconds."""
        return self._session.lines("GET", "/v1/stats", params)

    def snapshots(self) -> list[SnapshotRow]:
        """The snapshots that the manager keeps."""
        return self._session.items("/v1/snapshots")

    def create_snapshot(self) -> SnapshotRow:
        """Make a snapshot now."""
        return self._session.write("POST", "/v1/snapshots")

    def release_held(self) -> Changed:
        """Confirm after a restore that containers which the restored state does not know may go."""
        return self._session.write("POST", "/v1/snapshots/release-held")
