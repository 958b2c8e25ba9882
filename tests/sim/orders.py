"""Somebody who sends commands, each until it is answered, and some once more though they were."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

import anyio

from actors import protocol
from cluster.model import State
from supervisor.errors import ActorError

Ask = Callable[[object], Awaitable[object]]
Note = Callable[[str], None]
Excused = Callable[[protocol.Refused], bool]

PAUSE = 0.5
REPEATED = 0.3


class Orders:
    """One sender's commands. `ask` is one try, `note` takes a line for the log.

    A command that was not answered is sent again under its key. So is one that was, from time to time: it must be
    answered as before, and must not be done twice.
    """

    def __init__(self, sender: str, random: Random, ask: Ask, note: Note) -> None:
        self._sender = sender
        self._random = random
        self._ask = ask
        self._note = note
        self._number = 0
        self._accepted: dict[str, tuple[object, protocol.Accepted]] = {}

    def key(self) -> str:
        """An idempotency key that no other command has."""
        self._number += 1
        return f"{self._sender}-{self._number}"

    async def insist(self, command: object, key: str, excused: Excused = lambda refused: False) -> protocol.Accepted:
        """What the command came to. Refusals that pass are sat out; one that is `excused` counts as done before."""
        while True:
            answer = await self._until_answered(command)
            if isinstance(answer, protocol.Accepted):
                self._accepted[key] = command, answer
                return answer
            assert isinstance(answer, protocol.Refused)
            if excused(answer):
                return protocol.Accepted(0)
            busy = answer.code in ("unavailable", "unknown") or "is still being removed" in answer.message
            assert busy, f"{command} was refused: {answer.message}"
            await anyio.sleep(PAUSE)

    async def state(self) -> State:
        """The state, once it can be told."""
        state = await self._until_answered(protocol.GetState())
        assert isinstance(state, State)
        return state

    async def perhaps_repeat(self, state: State) -> None:
        """Send something again that changed the state: one that changed nothing is done on the next try."""
        kept = [key for key in self._accepted if key in state.commands]
        if kept and self._random.random() < REPEATED:
            command, before = self._accepted[self._random.choice(kept)]
            answer = await self._until_answered(command)
            while isinstance(answer, protocol.Refused) and answer.code in ("unavailable", "unknown"):
                answer = await self._until_answered(command)
            assert answer == before, f"{command} was answered by {before}, and once more by {answer}"

    async def _until_answered(self, command: object) -> object:
        self._note(f"{self._sender} asks {_brief(command)}")
        while True:
            try:
                answer = await self._ask(command)
            except ActorError:
                await anyio.sleep(PAUSE)
                continue
            if not isinstance(answer, State):
                self._note(f"{self._sender} hears {answer}")
            return answer


def _brief(command: object) -> str:
    if isinstance(command, protocol.DeployStack):
        services = command.spec.services.values()
        return (
            f"DeployStack({', '.join(f'{one.name}={one.image}x{one.replicas}' for one in services)}, {command.request})"
        )
    return str(command)
