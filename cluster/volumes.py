"""Where services keep their data: the volumes that they name, and who would miss those that a machine has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cluster.model import Node, Service, State
from cluster.spec import ServiceSpec

Users = Mapping[str, list[str]]
"""By the engine's name of a volume the keys of the services that keep data in it."""


def volumes_of(state: State, service: Service) -> list[str]:
    """The engine's names of the volumes that a service's tasks keep data in."""
    stack = state.stacks.get(service.stack)
    known = stack.spec.volumes if stack is not None else {}
    return [known[source].name for source in sorted(named_volumes(service.spec) & known.keys())]


def named_volumes(spec: ServiceSpec) -> set[str]:
    """The same by the file's keys."""
    return {mount.source for mount in spec.mounts if mount.type == "volume" and mount.source}


def missed(state: State, node: Node) -> Users:
    """Whose data is on a machine, by name; services that stand still have theirs, too.

    A global service is none of them: it has data of its own on each machine, and needs it nowhere else.
    """
    found: dict[str, list[str]] = {}
    for key, service in sorted(state.services.items()):
        if not service.removing and service.spec.mode != "global":
            for name in set(node.volumes).intersection(volumes_of(state, service)):
                found.setdefault(name, []).append(key)
    return dict(sorted(found.items()))


def listed(users: Users) -> str:
    """`volume shop_data (shop/db, shop/web) and volume shop_log (shop/db)`."""
    return " and ".join(f"volume {name} ({', '.join(keys)})" for name, keys in users.items())


def given_up(state: State, node: Node) -> str:
    """What becomes of the data of services when their machine is gone for good, in words; empty where there is none."""
    return "; ".join(_fate(state, node, name, keys) for name, keys in missed(state, node).items())


def _fate(state: State, node: Node, name: str, keys: Iterable[str]) -> str:
    others = sorted(one.name for one in state.nodes.values() if one.id != node.id and name in one.volumes)
    then = f"what {' or '.join(others)} has by that name counts now" if others else "it begins empty elsewhere"
    return f"gives up volume {name} of {', '.join(keys)}: {then}"
