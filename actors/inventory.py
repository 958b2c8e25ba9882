"""What a machine's agent knows of the cluster's networks and volumes; its tasks read it when they make a container."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actors import protocol
from actors.configs import CONFIGS
from actors.provisions import PROVISIONS
from cluster.assignment import Assignment
from cluster.model import Network
from cluster.spec import VolumeSpec
from supervisor.actor import Context


class Inventory:
    """Written by the agent alone, each time it gets orders; empty until the first."""

    def __init__(self) -> None:
        self.networks: Mapping[str, Network] = {}
        self._volumes: Mapping[str, Mapping[str, VolumeSpec]] = {}

    def volumes(self, stack: str) -> Mapping[str, VolumeSpec]:
        """A stack's volumes by their keys in its file."""
        return self._volumes.get(stack, {})

    @property
    def volume_names(self) -> frozenset[str]:
        """The engine's names of all volumes that stacks name."""
        return frozenset(volume.name for volumes in self._volumes.values() for volume in volumes.values())

    def take(self, orders: protocol.Assign) -> None:
        """Take in what the cluster names now."""
        self.networks = {network.name: network for network in orders.networks}
        self._volumes = {stack.stack: stack.volumes for stack in orders.volumes}

    def tell_keepers(self, orders: protocol.Assign, assigned: Iterable[Assignment], ctx: Context) -> None:
        """Tell those who make and bring things on this machine what of it is needed still: files for a start alone."""
        networks = tuple(sorted(self.networks))
        started = [assignment.spec for assignment in assigned if assignment.task.desired in ("ready", "run")]
        files = frozenset(file.file_name for spec in started for file in spec.configs)
        ctx.ref(PROVISIONS).tell(protocol.KeepProvisions(networks, orders.remove_volumes))
        ctx.ref(CONFIGS).tell(protocol.KeepConfigs(files))
