"""Networks and volumes as the objects that the API answers with. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NotRequired, TypeVar

from typing_extensions import TypedDict

from cluster.holding import holders, naming, tasks_by_network, tasks_by_volume, volumes_there
from cluster.model import Network, State, Task
from cluster.spec import VolumeSpec

DRIVER = "bridge"
"""What gbnt makes every network with."""


class NetworkRow(TypedDict):
    """A network that a stack names, with the machines that have it and the tasks on it.

    Of an external one, which somebody else made, only that is known: its driver and addresses are empty.
    """

    name: str
    stack: str
    key: str
    external: bool
    driver: str
    internal: bool | None
    subnet: str
    gateway: str
    nodes: list[str]
    tasks: list[str]


class Attached(TypedDict):
    """A task on a network."""

    task: str
    id: str
    node: str
    address: str


class NetworkShown(NetworkRow):
    """A network, with the addresses of its tasks, and what gbnt made it with."""

    attached: list[Attached]
    mtu: int | None
    labels: Mapping[str, str]
    options: Mapping[str, str]


class VolumeRow(TypedDict):
    """A named volume, the machines that have it and the tasks that use it; one that outlived its stack has none.

    `sizes` are by machine, where they were asked for, null where one does not tell; `unknown` says why it does not.
    """

    name: str
    stack: str
    key: str
    external: bool
    driver: str
    nodes: list[str]
    tasks: list[str]
    sizes: NotRequired[Mapping[str, int | None]]
    unknown: NotRequired[Mapping[str, str]]


class VolumeShown(VolumeRow):
    """A volume, with all stacks that name it, and what its own makes it with."""

    stacks: list[str]
    labels: Mapping[str, str]
    options: Mapping[str, str]


R = TypeVar("R", NetworkRow, VolumeRow)


def network_rows(state: State, stack: str = "") -> list[NetworkRow]:
    """The networks of a stack, or of all: gbnt's own, and for each stack those of others that it names."""
    users = tasks_by_network(state)
    rows = [_network_row(state, network, users[network.name]) for network in state.networks.values()]
    rows += [
        _external_row(state, owner.name, key, spec.name, users[spec.name])
        for owner in state.stacks.values()
        for key, spec in owner.spec.networks.items()
        if spec.external
    ]
    return _of(rows, stack)


def network_detail(state: State, name: str) -> NetworkShown | None:
    """A network by name, with the tasks that are on it, `attached`, and what it was made with; None for none."""
    row = _first(network_rows(state), name)
    if row is None:
        return None
    attached: list[Attached] = [
        {"task": task.name, "id": task.id, "node": _node(state, task.node), "address": task.addresses[name]}
        for task in _sorted(tasks_by_network(state)[name])
    ]
    known = state.networks.get(name)
    return {
        **row,
        "attached": attached,
        "mtu": known.mtu if known else None,
        "labels": dict(known.labels) if known else {},
        "options": dict(known.options) if known else {},
    }


def volume_rows(state: State, stack: str = "") -> list[VolumeRow]:
    """The named volumes of a stack, or of all; those that outlived their stack have none."""
    users = tasks_by_volume(state)
    rows = [
        _volume_row(state, owner.name, key, volume, users[volume.name])
        for owner in state.stacks.values()
        for key, volume in owner.spec.volumes.items()
    ]
    owned = {row["name"] for row in rows}
    kept = volumes_there(state) - owned
    rows += [_volume_row(state, "", "", VolumeSpec(name), users[name]) for name in kept]
    return _of(rows, stack)


def volume_detail(state: State, name: str) -> VolumeShown | None:
    """A volume by name, with all `stacks` that name it and what its stack makes it with; None for none."""
    row = _first(volume_rows(state), name)
    if row is None:
        return None
    stacks = naming(state, name)
    spec = next((one.spec.volumes[row["key"]] for one in stacks if one.name == row["stack"]), VolumeSpec(name))
    named = [stack.name for stack in stacks]
    return {**row, "stacks": named, "labels": dict(spec.labels), "options": dict(spec.options)}


def _network_row(state: State, network: Network, users: Iterable[Task]) -> NetworkRow:
    there = {node.id for node in state.nodes.values() if network.name in node.networks}
    return {
        "name": network.name,
        "stack": network.stack,
        "key": network.key,
        "external": False,
        "driver": DRIVER,
        "internal": network.internal,
        "subnet": network.subnet,
        "gateway": network.gateway,
        "nodes": sorted(_node(state, id) for id in there),
        "tasks": [task.name for task in _sorted(users)],
    }


def _external_row(state: State, stack: str, key: str, name: str, users: Iterable[Task]) -> NetworkRow:
    """Of a network that somebody else made gbnt knows where its own tasks use it, and no more."""
    mine = [task for task in _sorted(users) if task.stack == stack]
    return {
        "name": name,
        "stack": stack,
        "key": key,
        "external": True,
        "driver": "",
        "internal": None,
        "subnet": "",
        "gateway": "",
        "nodes": sorted({_node(state, task.node) for task in mine}),
        "tasks": [task.name for task in mine],
    }


def _volume_row(state: State, stack: str, key: str, volume: VolumeSpec, users: Iterable[Task]) -> VolumeRow:
    return {
        "name": volume.name,
        "stack": stack,
        "key": key,
        "external": volume.external,
        "driver": volume.driver or ("local" if stack and not volume.external else ""),
        "nodes": [state.nodes[id].name for id in holders(state, volume.name)],
        "tasks": [task.name for task in _sorted(users)],
    }


def _first(rows: Iterable[R], name: str) -> R | None:
    """The row of that name; where several stacks name it, of the one that it belongs to."""
    named = sorted((row for row in rows if row["name"] == name), key=lambda row: row["external"])
    return named[0] if named else None


def _of(rows: Iterable[R], stack: str) -> list[R]:
    return [row for row in rows if stack in ("", row["stack"])]


def _sorted(tasks: Iterable[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: (task.stack, task.service, task.slot, task.id))


def _node(state: State, id: str) -> str:
    return state.nodes[id].name if id in state.nodes else id
