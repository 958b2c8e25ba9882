"""What a machine's agent knows of the cluster's networks and volumes; its tasks read it when they make a container."""

from __future__ import annotations

from collections.abc import Mapping

from actors import protocol
from cluster.model import Network
from cluster.spec import VolumeSpec


class Inventory:
    """Written by the agent alone, each time it gets orders; empty until the first."""

    def __init__(self) -> None:
        self.networks: Mapping[str, Network] = {}
        self._volumes: Mapping[str, Mapping[str, VolumeSpec]] = {}

    def volumes(self, stack: str) -> Mapping[str, VolumeSpec]:
        """A stack's volumes by their keys in its file."""
        return self._volumes.get(stack, {})

    def take(self, orders: protocol.Assign) -> None:
        """Take in what the cluster names now."""
        self.networks = {network.name: network for network in orders.networks}
        self._volumes = {stack.stack: stack.volumes for stack in orders.volumes}
