"""What a worker notes of its cluster while it runs: written beside the event loop, and tried until it is on disk."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from actors import protocol
from actors.tree import EXECUTOR
from cli import allegiance
from cli.errors import CliError
from supervisor.actor import Actor, Context
from supervisor.message import message
from transport.place import Place

NOTES = "notes"
RETRY = 5.0

log = logging.getLogger(__name__)


@message("notes.removed/1")
@dataclass(frozen=True, slots=True)
class NoteRemoval:
    """The cluster has removed this machine."""


@message("notes.place/1")
@dataclass(frozen=True, slots=True)
class NotePlace:
    """The manager was met at this place."""

    place: Place


class Notes(Actor):
    """Keeps the file of `cli.allegiance` at `path`. A removal is noted before anything is put away, where it can be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problem = ""

    async def receive(self, message: object, ctx: Context) -> None:
        """Note it, again later where that fails."""
        try:
            match message:
                case NoteRemoval():
                    await to_thread.run_sync(allegiance.dismissed, self._path)
                case NotePlace(place):
                    await to_thread.run_sync(allegiance.moved, self._path, place)
            self._problem = ""
        except (CliError, OSError) as error:
            self._problem = f"cannot note {type(message).__name__} in {self._path}: {error}"
            log.error("%s", self._problem)
            ctx.timers.start(type(message).__name__, RETRY, message)
        if isinstance(message, NoteRemoval):
            ctx.ref(EXECUTOR).tell(protocol.Dismissed())

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"problem": self._problem}
