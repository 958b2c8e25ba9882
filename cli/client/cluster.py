"""What concerns all of a cluster: its settings, what happens in it, and what is alive in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from cli.client.part import Part

if TYPE_CHECKING:
    from cli.session import Params
    from portal.access_rows import AuditRow
    from portal.shapes import ActorRow, Changed, ClusterShown, EventRow


class Cluster(Part):
    """The cluster, its events, its audit and its actors."""

    def cluster(self) -> ClusterShown:
        """The cluster's name, version, revision and epoch, and its alarm."""
        return self._session.get("/v1/cluster")

    def update_cluster(self, settings: Mapping[str, object]) -> Changed:
        """Change settings of the cluster: `pause_above`, `privileged`."""
        return self._session.write("PATCH", "/v1/cluster", orjson.dumps(settings))

    def confirm_loss(self) -> Changed:
        """Confirm that the machines that were lost at once are gone: their tasks are replaced."""
        return self._session.write("POST", "/v1/cluster/confirm-loss")

    def events(self, after: int | str | None, limit: int) -> list[EventRow]:
        """The first `limit` events after a revision or place, or else the newest, oldest first."""
        return self._session.items("/v1/events", {"after": after, "limit": limit})

    def follow_events(self, after: str | None, limit: int, opened: Callable[[], None]) -> Iterator[EventRow]:
        """The same after a revision or an event's place, `REVISION.NUMBER`, and then each event as it happens."""
        return self._session.lines("GET", "/v1/events", {"after": after, "limit": limit, "follow": 1}, opened=opened)

    def audit(self, wanted: Params) -> list[AuditRow]:
        """The newest records of who did what, newest first: as `who`, `action`, `outcome`, `since`, `limit` say."""
        return self._session.items("/v1/audit", wanted)

    def actors(self) -> list[ActorRow]:
        """Every actor of the node that answers."""
        return self._session.items("/v1/actors")

    def actor(self, path: str) -> ActorRow:
        """One actor by its path."""
        return self._session.get(f"/v1/actors/{quote(path)}")
