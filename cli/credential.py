"""The first credential: made at the first start, kept in a file of mode 0600 until it is used, never in a log."""

from __future__ import annotations

import contextlib

from actors.protocol import Accepted, Asked, BringToken, CreateToken, GetState, Refused
from cli.context import Context
from cli.context_changes import add_context, move_contexts
from cli.errors import BadInput, CliError
from cli.home import Home, write_private
from cli.log import said
from cli.options import ServeOptions
from cluster.audit import Deed
from cluster.decide.nodes import is_revoked
from cluster.model import State
from portal.api.access import ROOT
from portal.credentials import Credential, new_credential, parse
from supervisor.system import System
from transport.identity import ClusterCA

TIMEOUT = 30.0


class FirstCredential:
    """Sees to it that there is one, and that this user's own `gbnt` has it.

    Raises BadInput where a person brought one that is none.
    """

    def __init__(self, options: ServeOptions, home: Home, system: System, authority: ClusterCA) -> None:
        self._options = options
        self._home = home
        self._system = system
        self._authority = authority
        self._brought = _parsed(options.api_token) if options.api_token else None

    async def ensure(self, name: str) -> None:
        """Make the first credential where none is known, or the one that a person brought. `name` is the context's."""
        state = await self._system.ref("senate").ask(GetState(), timeout=TIMEOUT)
        assert isinstance(state, State)
        if self._brought is not None:
            await self._bring(self._brought, state, name)
        elif not state.tokens or self._home.credentials.exists():
            await self._make_first(state, name)
        self._follow_port()

    async def _bring(self, credential: Credential, state: State, name: str) -> None:
        """One that was revoked is told and left out: whoever revoked it knows better than a variable that stayed."""
        known = state.tokens.get(credential.id)
        if known is not None and known.hash == credential.hash:
            return
        if not is_revoked(state, credential.id):
            self._introduce(name, credential, "set GBNT_API_TOKEN where you use gbnt")
        answer = await self._ask(BringToken(credential.id, credential.hash), "bring")
        if isinstance(answer, Refused):
            said.warning("GBNT_API_TOKEN is not taken: %s", answer.message)
        elif known is not None:
            text = "gbnt: GBNT_API_TOKEN has another secret for the token %s: the one before is good no more"
            said.info(text, credential.id)

    async def _make_first(self, state: State, name: str) -> None:
        """Both files are written before the credential counts: a crash leaves nothing that nobody knows."""
        kept = self._kept()
        if kept is not None and is_revoked(state, kept.id):
            self._home.credentials.unlink(missing_ok=True)
            kept = None
        if state.tokens and (kept is None or kept.id in state.tokens):
            return
        credential = kept or new_credential()
        write_private(self._home.credentials, credential.text.encode())
        self._introduce(name, credential, f"the first credential is in {self._home.credentials}")
        answer = await self._ask(CreateToken(credential.id, "first", "admin", credential.hash, first=True), "first")
        if isinstance(answer, Refused):
            raise CliError(f"the first credential could not be kept: {answer.message}")

    def _follow_port(self) -> None:
        """Started with another port: the context of the first start would lead nowhere."""
        with contextlib.suppress(CliError):  # the contexts are the person's: one that cannot be used is not needed here
            move_contexts(self._authority.certificate.decode(), self._server)

    @property
    def _server(self) -> str:
        return f"https://127.0.0.1:{self._options.api_port}"

    def _introduce(self, name: str, credential: Credential, otherwise: str) -> None:
        try:
            add_context(Context(name, self._server, self._authority.certificate.decode(), credential.text))
        except CliError as error:
            said.warning("%s; %s", error, otherwise)

    def _kept(self) -> Credential | None:
        try:
            return parse(self._home.credentials.read_text())
        except FileNotFoundError:
            return None

    async def _ask(self, command: BringToken | CreateToken, action: str) -> Accepted | Refused:
        deed = Deed(ROOT, f"credentials.{action}", command.id, "role admin, for good")
        answer = await self._system.ref("senate").ask(Asked(command, deed), timeout=TIMEOUT)
        assert isinstance(answer, Accepted | Refused)
        return answer


def _parsed(text: str) -> Credential:
    credential = parse(text)
    if credential is None or len(credential.secret) < 32:
        raise BadInput("GBNT_API_TOKEN must be gbnt_ID_SECRET with a secret of 32 characters or more")
    return credential
