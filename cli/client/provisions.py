"""What stacks bring beside services: networks, volumes and configs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from cli.client.part import Part

if TYPE_CHECKING:
    from portal.api.volumes import VolumeRemoved
    from portal.name_rows import NameRow
    from portal.provision_rows import NetworkRow, NetworkShown, VolumeRow, VolumeShown
    from portal.shapes import Changed, ConfigRow, ConfigShown


class Provisions(Part):
    """The networks, the volumes and the configs."""

    def networks(self, stack: str = "") -> list[NetworkRow]:
        """The networks of a stack, or of all."""
        return self._session.items("/v1/networks", {"stack": stack})

    def meanings(self, name: str) -> list[NameRow]:
        """What a name means on each network, and what of that is in no answer now."""
        return self._session.items(f"/v1/names/{quote(name, safe='')}")

    def network(self, name: str) -> NetworkShown:
        """One network; `attached` are the tasks on it."""
        return self._session.get(f"/v1/networks/{quote(name, safe='')}")

    def volumes(self, stack: str = "", *, sizes: bool = False) -> list[VolumeRow]:
        """The named volumes of a stack, or of all and those that outlived theirs; with `sizes`, machines are asked."""
        return self._session.items("/v1/volumes", {"stack": stack, "sizes": 1 if sizes else None})

    def volume(self, name: str, *, sizes: bool = False) -> VolumeShown:
        """One volume; with `sizes`, its machines are asked."""
        return self._session.get(_volume_path(name), {"sizes": 1 if sizes else None})

    def remove_volume(self, name: str) -> VolumeRemoved:
        """Remove a volume: the machines that it was `removed` from, and those that `kept` it, each with the reason."""
        return self._session.write("DELETE", _volume_path(name))

    def configs(self, stack: str = "") -> list[ConfigRow]:
        """The configs that a stack brought, or all did, without their contents."""
        return self._session.items("/v1/configs", {"stack": stack})

    def config(self, name: str) -> ConfigShown:
        """One config, with its `content` in base64."""
        return self._session.get(f"/v1/configs/{quote(name, safe='')}")

    def remove_config(self, name: str) -> Changed:
        """Remove a config that no service reads."""
        return self._session.write("DELETE", f"/v1/configs/{quote(name, safe='')}")


def _volume_path(name: str) -> str:
    return f"/v1/volumes/{quote(name, safe='')}"
