"""Who a machine is, and where its manager is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from supervisor.address import Address


@dataclass(frozen=True, slots=True)
class Machine:
    """Who this agent is: the node's id and name, its address for others, the cluster, and this life's own id.

    `manager` is the node whose Senate and dispatcher it serves, as actors' addresses name it; empty for its own.
    `version` is gbnt's, `link_port` where this machine hears other nodes.
    """

    node: str
    name: str
    address: str
    cluster: str
    boot: str
    manager: str = ""
    version: str = ""
    link_port: int = 0

    @property
    def role(self) -> Literal["manager", "worker"]:
        """What the machine is in the cluster."""
        return "worker" if self.manager else "manager"

    def at_manager(self, path: str, here: Address) -> Address:
        """The address of an actor of the manager; `here` is that of any actor on this node."""
        return Address(self.manager or here.node, path)
