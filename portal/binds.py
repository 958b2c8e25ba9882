"""What a deploy's binds find on the machines: each that a task may go to is asked, all at once and for a short time."""

from __future__ import annotations

from collections.abc import Collection

from actors.membership import AGENT
from actors.protocol import PathsSeen, WantPaths
from cluster.binds import Judged, Presence, judge, to_look_for
from cluster.model import State
from cluster.spec import StackSpec
from portal.backend import Backend
from portal.machines import ask_each

SECONDS = 3.0


async def look(backend: Backend, state: State, spec: StackSpec, sent: Collection[str] = ()) -> Judged:
    """Ask the machines, and judge by what they say. One that does not answer, or is an older gbnt, is unknown.

    `sent` are paths that are there where the spec came from.
    """
    questions = {node: WantPaths(paths) for node, paths in to_look_for(state, spec).items()}
    heard = await ask_each(backend, state, AGENT, questions, PathsSeen, SECONDS)
    found = {node: Presence(answer.missing, answer.unknown) for node, answer in heard.answers.items()}
    return judge(state, spec, found, sent)
