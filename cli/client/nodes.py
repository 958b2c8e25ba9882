"""Machines, and the tokens that let others join them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import orjson

from cli.client.part import Part

if TYPE_CHECKING:
    from portal.access_rows import JoinTokenRow
    from portal.api.joining import JoinTokenMade
    from portal.shapes import Changed, NodeRow, NodeShown

NodeRole = Literal["worker", "manager"]


class Nodes(Part):
    """The machines and the join tokens."""

    def nodes(self) -> list[NodeRow]:
        """The machines."""
        return self._session.items("/v1/nodes")

    def node(self, reference: str) -> NodeShown:
        """One machine by its name or id; while it is being emptied, `leaving` is what has not left it."""
        return self._session.get(_node_path(reference))

    def update_node(
        self,
        reference: str,
        *,
        availability: str = "",
        labels: Mapping[str, str | None] | None = None,
        role: NodeRole | None = None,
    ) -> Changed:
        """Change what a machine is for, its labels (None takes one away) and its role."""
        wanted = {"availability": availability, "labels": labels or {}, "role": role or ""}
        return self._session.write("PATCH", _node_path(reference), orjson.dumps(wanted))

    def remove_node(self, reference: str, *, force: bool) -> Changed:
        """Forget a machine; by `force` whatever it does."""
        return self._session.write("DELETE", _node_path(reference), params={"force": 1 if force else None})

    def join_tokens(self) -> list[JoinTokenRow]:
        """The join tokens, without their texts."""
        return self._session.items("/v1/join-tokens")

    def create_join_token(self, role: NodeRole, ttl: float, uses: int, *, rotate: bool) -> JoinTokenMade:
        """A new join token for `ttl` seconds and `uses` machines; this answer alone holds its text.

        `rotate` makes all others of its role worthless.
        """
        wanted = {"role": role, "ttl": ttl, "uses": uses, "rotate": rotate}
        return self._session.write("POST", "/v1/join-tokens", orjson.dumps(wanted))

    def revoke_join_token(self, token: str) -> Changed:
        """Make a join token worthless."""
        return self._session.write("DELETE", f"/v1/join-tokens/{quote(token, safe='')}")


def _node_path(reference: str) -> str:
    return f"/v1/nodes/{quote(reference, safe='')}"
