"""The keyring of a manager: opens a sign-in to a registry for the one machine that has to pull an image by it."""

from __future__ import annotations

from typing import Protocol

from actors import protocol
from actors.places import SENATE
from cluster.model import RegistryLogin, State
from cluster.registries import Credential, login_for, registry_of
from supervisor.actor import Actor, Context
from supervisor.errors import ActorError

ASK_SECONDS = 5.0


class Unopened(Exception):
    """What was sealed cannot be opened. The text is a sentence for a person."""


class Vault(Protocol):
    """The port to the key that seals secrets; it is not where they are kept."""

    def seal(self, registry: str, stack: str, credential: Credential) -> str:
        """What may be kept of a credential. It is opened as that of this registry and stack alone."""

    def lock(self, place: str, text: str) -> str:
        """What may be kept of a text. It is unlocked at this place alone."""

    def unlock(self, place: str, sealed: str) -> str:
        """The text. Raises Unopened where it was sealed by another key, or for another place."""

    def open(self, login: RegistryLogin) -> Credential:
        """The credential of a sign-in. Raises Unopened where it was sealed by another key, or is another one's."""


class Keyring(Actor):
    """Answers `WantCredential` for a task that the asking machine has, by the sign-in to the registry of its image."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lent = 0

    async def receive(self, message: object, ctx: Context) -> None:
        """Look up the task, its registry and the sign-in, and open that."""
        match message:
            case protocol.WantCredential(node, task):
                try:
                    state = await ctx.ref(SENATE).ask(protocol.GetState(), timeout=ASK_SECONDS)
                except ActorError:
                    ctx.reply(protocol.Lent(problem="the manager is only starting"))
                    return
                assert isinstance(state, State)
                ctx.reply(self._lend(state, node, task))

    def _lend(self, state: State, node: str, id: str) -> protocol.Lent:
        task = state.tasks.get(id)
        if task is None or task.node != node:
            return protocol.Lent(problem="the manager knows no such task on this machine")
        login = login_for(state, registry_of(state.spec_of(task).image), task.stack)
        if login is None:
            return protocol.Lent()
        try:
            credential = self._vault.open(login)
        except Unopened as error:
            return protocol.Lent(problem=str(error))
        self._lent += 1
        return protocol.Lent(credential)

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"lent": self._lent}
