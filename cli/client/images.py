"""Where images come from: builds, and the registries that the cluster is signed in to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from cli.client.part import Part

if TYPE_CHECKING:
    from cli.session import Params
    from portal.access_rows import RegistryRow
    from portal.api.builds import BuildLine
    from portal.shapes import Changed


class Images(Part):
    """The builds and the registries."""

    def build(self, params: Params, context: Iterable[bytes]) -> Iterator[BuildLine]:
        """Build an image from a tar stream: lines of output, and last `image_id` and `node`, or `error`."""
        return self._session.lines("POST", "/v1/builds", params, context)

    def registries(self) -> list[RegistryRow]:
        """Who is signed in to which registry, without passwords."""
        return self._session.items("/v1/registries")

    def sign_in(self, registry: str, username: str, password: str) -> Changed:
        """Sign the cluster in to a registry, which is asked first."""
        body = orjson.dumps({"username": username, "password": password})
        return self._session.write("PUT", _registry_path(registry), body)

    def sign_out(self, registry: str) -> Changed:
        """Forget every sign-in to a registry."""
        return self._session.write("DELETE", _registry_path(registry))


def _registry_path(registry: str) -> str:
    return f"/v1/registries/{quote(registry, safe=':')}"
