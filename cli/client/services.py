"""The services of stacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import orjson

from cli.client.part import Part
from cli.errors import BadInput, NotFound
from cli.words import did_you_mean

if TYPE_CHECKING:
    from cli.session import Params
    from portal.part_rows import PlacementShown
    from portal.shapes import Changed, LogRow, ServiceRow, ServiceShown


class Services(Part):
    """The services."""

    def services(self, stack: str = "") -> list[ServiceRow]:
        """The services, of one stack where it is named."""
        return self._session.items("/v1/services", {"stack": stack})

    def service_key(self, name: str) -> str:
        """`stack/service` for what a person typed: the same, or a service's name that only one stack has."""
        if "/" in name:
            return name
        keys = [str(row["name"]) for row in self.services()]
        matching = [key for key in keys if key.partition("/")[2] == name]
        if len(matching) > 1:
            raise BadInput(f'several stacks have a service "{name}": say which one of {", ".join(sorted(matching))}')
        if not matching:
            hint = did_you_mean(name, [key.partition("/")[2] for key in keys])
            raise NotFound(f'there is no service "{name}"{hint}; `gbnt service ls` lists them')
        return matching[0]

    def service(self, key: str) -> ServiceShown:
        """One service, with its spec."""
        return self._session.get(_service_path(key))

    def service_placement(self, key: str) -> PlacementShown:
        """Where another task of a service could go: a `sentence`, and the `nodes`, each with the reasons against it."""
        return self._session.get(f"{_service_path(key)}/placement")

    def scale(self, key: str, replicas: int) -> Changed:
        """Run this many replicas."""
        return self._change_service(key, "scale", {"replicas": replicas})

    def update(self, key: str, image: str, *, force: bool) -> Changed:
        """Roll a service over to another image, or (`force`) to new containers of what it is."""
        return self._change_service(key, "update", {"image": image, "force": force})

    def hold_service(self, key: str, action: Literal["stop", "start", "restart"]) -> Changed:
        """Keep a service down, let it run again, or replace its containers."""
        return self._change_service(key, action, {})

    def remove_service(self, key: str) -> Changed:
        """Remove one service from its stack."""
        return self._session.write("DELETE", _service_path(key))

    def service_logs(self, key: str, params: Params) -> Iterator[LogRow]:
        """The lines of all tasks of a service in the order of time."""
        return self._session.lines("GET", f"{_service_path(key)}/logs", params)

    def _change_service(self, key: str, action: str, body: dict[str, object]) -> Changed:
        return self._session.write("POST", f"{_service_path(key)}/{action}", orjson.dumps(body))


def _service_path(key: str) -> str:
    stack, _, service = key.partition("/")
    return f"/v1/services/{quote(stack, safe='')}/{quote(service, safe='')}"
