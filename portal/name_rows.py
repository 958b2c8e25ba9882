"""What a name means, as rows."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import TypedDict

from cluster.lookup import Found
from cluster.model import State


class NameRow(TypedDict):
    """An address that a name means: of a task on a network, or of a machine, with neither network nor task.

    `answers` says whether the name answers with it now, `why` why not.
    """

    network: str
    task: str
    id: str
    node: str
    address: str
    answers: bool
    why: str


def name_rows(state: State, found: Iterable[Found]) -> list[NameRow]:
    """Each address with whose it is."""
    return [
        {
            "network": one.network,
            "task": one.task.name if one.task else "",
            "id": one.task.id if one.task else "",
            "node": state.nodes[one.node].name if one.node in state.nodes else one.node,
            "address": one.address,
            "answers": not one.why,
            "why": one.why,
        }
        for one in found
    ]
