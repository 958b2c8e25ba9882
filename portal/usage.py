"""What the engines of all machines keep: asked anew each time, for only they know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from typing_extensions import TypedDict

from actors.protocol import UsageSeen, WantUsage
from actors.surveyor import SURVEYOR
from cluster.model import Node, State
from cluster.usage import Kind, Usage, shares
from portal.backend import Backend
from portal.machines import Silent, ask_each, ask_machine
from portal.part_rows import ShareRow, share_row

SECONDS = 120.0
"""An engine may have to add up many files."""


class UsageLine(TypedDict):
    """What a machine's engine keeps, in sums by kind; all are null where `unknown` says why."""

    node: str
    id: str
    unknown: str
    images: ShareRow | None
    containers: ShareRow | None
    volumes: ShareRow | None
    cache: ShareRow | None


@dataclass(slots=True)
class VolumeSizes:
    """By machine how large its volumes are, None where a driver does not tell; and why another machine is unknown."""

    known: dict[str, dict[str, int | None]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


async def usage_of(backend: Backend, node: Node) -> Usage:
    """All that a machine's engine keeps. Raises Silent."""
    return (await ask_machine(backend, node, SURVEYOR, WantUsage(), UsageSeen, SECONDS)).usage


async def usage_line(backend: Backend, node: Node) -> UsageLine:
    """The same in sums, or why there are none."""
    try:
        found = shares(await usage_of(backend, node))
    except Silent as why:
        return _line(node, str(why), {})
    return _line(node, "", {kind: share_row(share) for kind, share in found.items()})


async def volume_sizes(backend: Backend, state: State, nodes: Collection[str], seconds: float) -> VolumeSizes:
    """How large the volumes are on the machines of these names, all asked at the same time."""
    questions = {node.id: WantUsage() for node in state.nodes.values() if node.name in nodes}
    heard = await ask_each(backend, state, SURVEYOR, questions, UsageSeen, seconds)
    return VolumeSizes(
        {state.nodes[id].name: seen.usage.volume_sizes for id, seen in heard.answers.items()},
        {state.nodes[id].name: why for id, why in heard.silent.items()},
    )


def _line(node: Node, unknown: str, found: Mapping[Kind, ShareRow]) -> UsageLine:
    return {
        "node": node.name,
        "id": node.id,
        "unknown": unknown,
        "images": found.get("images"),
        "containers": found.get("containers"),
        "volumes": found.get("volumes"),
        "cache": found.get("cache"),
    }
