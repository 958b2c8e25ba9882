"""Configs of one machine: brought from the Senate once, kept as files that containers read, removed when none does.

What is here needs no manager: a task that is restarted while none answers finds its files.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from actors import protocol
from actors.machine import Machine
from actors.places import SENATE
from cluster.configs import ConfigFile, decoded, digest_of
from engine.port import EngineError, EngineUnavailable
from supervisor.actor import Actor, Context, ReplyTo
from supervisor.errors import ActorError
from supervisor.message import message
from supervisor.ref import Ref

CONFIGS = "agent/configs"
# How long the Senate may take for one piece.
PIECE_SECONDS = 10.0


Answer = protocol.ConfigHere | protocol.Failed


class Unplaced(Exception):
    """A file could not be put or found where containers read it. The text is a sentence for a person."""


class ConfigFolder(Protocol):
    """The port to the place where files of configs lie. Calls raise `Unplaced`, `find` EngineError too."""

    async def find(self, file: ConfigFile) -> str:
        """The path by which the engine knows the file; empty where it is not there, or not as it should be."""

    async def put(self, file: ConfigFile, content: bytes) -> None:
        """Write the file with its owner and mode. Whoever is killed meanwhile leaves none, or a whole one."""

    async def keep(self, names: Collection[str]) -> None:
        """Remove whatever has none of these names."""


@message("config.fetched/1")
@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of a fetch, from this actor to itself: the content in base64, or why there is none."""

    digest: str
    content: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who waits for a file."""

    file: ConfigFile
    reply_to: ReplyTo


class ConfigsActor(Actor):
    """Answers `WantConfig`. A content is fetched once, whoever asks for it meanwhile."""

    def __init__(self, machine: Machine, folder: ConfigFolder) -> None:
        self._machine = machine
        self._folder = folder
        self._needed: frozenset[str] = frozenset()
        self._tidy = False
        self._waiting: dict[str, list[_Asker]] = {}
        self._problem = ""

    async def receive(self, message: object, ctx: Context) -> None:
        """Look for a file, fetch what it lacks, answer who waited for it, or remove what is of no more use."""
        match message:
            case protocol.WantConfig(file):
                await self._look(_Asker(file, ctx.reply_to), ctx)
            case Fetched(digest):
                for asker in self._waiting.pop(digest, []):
                    asker.reply_to.send(await self._place(asker.file, message))
            case protocol.KeepConfigs(names) if names != self._needed or not self._tidy:
                self._needed = names
                await self._remove_others()

    async def _look(self, asker: _Asker, ctx: Context) -> None:
        digest = asker.file.digest
        answer = await self._find(asker.file)
        if answer is not None:
            asker.reply_to.send(answer)
            return
        self._waiting.setdefault(digest, []).append(asker)
        if len(self._waiting[digest]) == 1:
            ctx.spawn(f"fetch:{digest}", self._fetch, ctx.ref(self._machine.at_manager(SENATE, ctx.address)), digest)

    async def _find(self, file: ConfigFile) -> Answer | None:
        """What is to be said of a file that is here, or cannot be; None where it has to be brought."""
        try:
            path = await self._folder.find(file)
        except (Unplaced, EngineError) as error:
            return _failed(file, error)
        return protocol.ConfigHere(path) if path else None

    async def _fetch(self, senate: Ref, digest: str) -> Fetched:
        content = ""
        while True:
            question = protocol.GetConfig(self._machine.node, digest, len(content))
            try:
                answer = await senate.ask(question, timeout=PIECE_SECONDS)
            except ActorError:
                return Fetched(digest, failure="it is not on this machine yet, and no manager answers")
            if isinstance(answer, protocol.Refused):
                return Fetched(digest, failure=answer.message)
            assert isinstance(answer, protocol.ConfigPiece)
            content += answer.text
            if len(content) >= answer.length:
                return Fetched(digest, content)

    async def _place(self, file: ConfigFile, fetched: Fetched) -> Answer:
        content = decoded(fetched.content) or b""
        if file.file_name not in self._needed:  # who waited is gone, and nobody would remove it
            return _failed(file, "no task here is to start with it any more")
        if fetched.failure:
            return _failed(file, fetched.failure)
        if digest_of(content) != file.digest:
            return _failed(file, "what the manager sent of it is not what was deployed: deploy it again")
        answer = await self._find(file)  # another of those who waited may have had the same one written
        if answer is not None:
            return answer
        try:
            await self._folder.put(file, content)
        except Unplaced as error:
            return _failed(file, error)
        return await self._find(file) or _failed(file, "it is gone as soon as it is written: see who else is at it")

    async def _remove_others(self) -> None:
        try:
            await self._folder.keep(self._needed)
            self._tidy, self._problem = True, ""
        except Unplaced as error:
            self._tidy, self._problem = False, str(error)

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"needed": len(self._needed), "fetching": sorted(self._waiting), "problem": self._problem}


def _failed(file: ConfigFile, why: object) -> protocol.Failed:
    return protocol.Failed(f"config {file.source}: {why}", down=isinstance(why, EngineUnavailable))
