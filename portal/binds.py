"""What a deploy's binds find on the machines: each that a task may go to is asked, all at once and for a short time."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import anyio

from actors.membership import AGENT
from actors.protocol import PathsSeen, WantPaths
from cluster.binds import Judged, Presence, judge, to_look_for
from cluster.model import State
from cluster.spec import StackSpec
from portal.backend import Backend
from portal.machines import Silent, ask_machine

SECONDS = 3.0


async def look(backend: Backend, state: State, spec: StackSpec, sent: Collection[str] = ()) -> Judged:
    """Ask the machines, and judge by what they say. One that does not answer, or is an older gbnt, is unknown.

    `sent` are paths that are there where the spec came from.
    """
    found: dict[str, Presence] = {}

    async def one(node: str, paths: tuple[str, ...]) -> None:
        try:
            answer = await ask_machine(backend, state.nodes[node], AGENT, WantPaths(paths), PathsSeen, SECONDS)
        except Silent:
            return
        found[node] = Presence(answer.missing, answer.unknown)

    wanted: Mapping[str, tuple[str, ...]] = to_look_for(state, spec)
    async with anyio.create_task_group() as group:
        for node, paths in wanted.items():
            group.start_soon(one, node, paths)
    return judge(state, spec, found, sent)
