"""The answers that are kept under request ids, each with what was asked: only a repeat of that is answered by it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import orjson

from actors import protocol
from cluster.pinning import unpinned
from cluster.sources import UNTOLD
from cluster.spec import fingerprint
from supervisor.message import tag_of

COMMAND = "command"


def kept(command: object, answer: protocol.Accepted) -> str:
    """The answer to a command as it is stored."""
    return orjson.dumps({**asdict(answer), COMMAND: _of(command)}).decode()


def answer(stored: str, command: object) -> protocol.Accepted | protocol.Refused:
    """The stored answer where it was given to this command, else a refusal. One of an older gbnt fits any command."""
    accepted = orjson.loads(stored)
    if accepted.pop(COMMAND, None) in (None, _of(command)):
        return protocol.Accepted(**accepted)
    text = "this Idempotency-Key was used for another change, so nothing was done: send this one under a new key"
    return protocol.Refused("invalid", f"{text}; a key is only for repeats of the same change")


def _of(command: Any) -> str:
    """The fingerprint of what was asked, without what the door makes up anew for each try."""
    if isinstance(command, protocol.CreateToken):
        command = replace(command, id="", hash="", expires_at=0.0)
    if isinstance(command, protocol.CreateUser):  # each hash has another salt
        command = replace(command, hash="")
    if isinstance(command, protocol.ChangePassword):
        command = replace(command, hash="", seen="")
    if isinstance(command, protocol.UpdateUser) and command.hash is not None:
        command = replace(command, hash="")
    if isinstance(command, protocol.DeployStack):  # a tag may mean another image by the next try
        command = replace(command, spec=unpinned(command.spec), logins=(), origin=UNTOLD)
    if isinstance(command, protocol.RollBack):  # a token may be given another name meanwhile
        command = replace(command, by="")
    if isinstance(command, protocol.SaveDraft):
        command = replace(command, origin=UNTOLD)
    if isinstance(command, protocol.UpdateService):
        command = replace(command, digest="")
    if isinstance(command, protocol.SignIn):
        command = replace(command, sealed="")
    if isinstance(command, protocol.IssueJoinToken | protocol.RotateJoinTokens):
        command = replace(command, id="", expires_at=0.0)
    if isinstance(command, protocol.AdmitNode):  # who joins is told by its key; the rest may be another on the next try
        command = replace(command, name="", address="", version="")
    return fingerprint([tag_of(type(command)), replace(command, request="")])
