"""Who may come in, and who did what, as the API's lists hold them. Pure; times are seconds since the epoch."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from cluster.audit import AuditRecord
from cluster.model import JoinToken, RegistryLogin, Role, State, Token
from cluster.users import User, UserRole


class TokenRow(TypedDict):
    """A credential without its hash, or a `user`'s session; `expires_at` 0 is never."""

    id: str
    name: str
    role: UserRole
    user: str
    created_at: float
    expires_at: float
    used_at: float


class UserRow(TypedDict):
    """A person who may sign in; `changed_at` is when the password was set, `sessions` how many there are now."""

    name: str
    role: UserRole
    disabled: bool
    created_at: float
    changed_at: float
    sessions: int


class JoinTokenRow(TypedDict):
    """What lets machines join, without its text."""

    id: str
    role: Role
    state: Literal["good", "expired", "used up", "revoked"]
    created_at: float
    expires_at: float
    uses: int
    used: int


class RegistryRow(TypedDict):
    """A sign-in to a registry without its secret; `stack` is whose deploy it came with, empty for the cluster's own."""

    registry: str
    stack: str
    username: str
    updated_at: float


class AuditRow(TypedDict):
    """Who did what, and what came of it. `who` is empty for a machine, and for who had no good token.

    `outcome` is `done`, `unchanged`, `repeated`, or the code of the refusal that `message` is.
    """

    number: int
    at: float
    who: str
    role: str
    token: str
    address: str
    request: str
    action: str
    subject: str
    outcome: str
    message: str
    revision: int


def token_row(token: Token) -> TokenRow:
    """A credential without its hash."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "user": token.user,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
    }


def user_row(user: User, state: State, now: float) -> UserRow:
    """A user, without the hash of the password."""
    sessions = [token for token in state.tokens.values() if token.user == user.name and now < token.expires_at]
    return {
        "name": user.name,
        "role": user.role,
        "disabled": user.disabled,
        "created_at": user.created_at,
        "changed_at": user.changed_at,
        "sessions": len(sessions),
    }


def join_token_row(token: JoinToken, now: float) -> JoinTokenRow:
    """What lets machines join, without its text; `state` is good, expired, used up or revoked."""
    return {
        "id": token.id,
        "role": token.role,
        "state": _standing(token, now),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "uses": token.uses,
        "used": token.used,
    }


def _standing(token: JoinToken, now: float) -> Literal["good", "expired", "used up", "revoked"]:
    if token.revoked:
        return "revoked"
    if now >= token.expires_at:
        return "expired"
    return "used up" if token.used >= token.uses else "good"


def registry_row(login: RegistryLogin) -> RegistryRow:
    """A sign-in to a registry without its secret; `stack` is whose deploy it came with, empty for the cluster's own."""
    return {
        "registry": login.registry,
        "stack": login.stack,
        "username": login.username,
        "updated_at": login.updated_at,
    }


def audit_row(record: AuditRecord) -> AuditRow:
    """A record of the audit."""
    caller = record.deed.caller
    return {
        "number": record.number,
        "at": record.at,
        "who": caller.name,
        "role": caller.role,
        "token": caller.token,
        "address": caller.address,
        "request": caller.request,
        "action": record.deed.action,
        "subject": record.deed.subject,
        "outcome": record.outcome,
        "message": record.message,
        "revision": record.revision,
    }
