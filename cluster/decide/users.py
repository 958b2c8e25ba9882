"""Decisions on users and their sessions: who there is, what they may do, and who is signed in.

A session is a token that belongs to a user. It ends with the user, with a password that is changed, and by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cluster.decide.decision import Decision, Draft, Refusal, missing
from cluster.model import Change, State, Token
from cluster.users import User, UserRole, name_objection

MOST_USERS = 1_000
MOST_SESSIONS = 100
"""So many of one user at a time: the oldest ends where another is opened."""

NO_ADMIN = "no user who can sign in is an admin now; root on the manager's own machine always is"
CHANGED = "the user was changed meanwhile: sign in again"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to become of a user; what is None stays. `hash` is of another password."""

    role: UserRole | None = None
    disabled: bool | None = None
    hash: str | None = None


def create(state: State, user: User) -> Decision:
    """Take a user in."""
    if why := name_objection(user.name):
        return Refusal("invalid", why)
    if user.name in state.users:
        text = f"there is a user {user.name} already; `gbnt user update` and `gbnt user reset-password` change one"
        return Refusal("conflict", text)
    if len(state.users) >= MOST_USERS:
        return Refusal("conflict", f"there are {MOST_USERS} users: remove one first (`gbnt user rm`)")
    draft = Draft(state)
    draft.put(Change("users", user.name, user))
    draft.tell("user.created", user.name, f"role {user.role}")
    return draft.decided({user.name: "created"})


def update(state: State, name: str, wanted: Wanted, now: float) -> Decision:
    """Change a user's role or password, or whether they may sign in. Another password ends their sessions."""
    user = state.users.get(name)
    if user is None:
        return missing("user", name, state.users)
    draft, words = Draft(state), []
    changed = user
    if wanted.role is not None and wanted.role != user.role:
        changed = replace(changed, role=wanted.role)
        words.append(f"role {wanted.role}")
    if wanted.disabled is not None and wanted.disabled != user.disabled:
        changed = replace(changed, disabled=wanted.disabled)
        words.append("disabled" if wanted.disabled else "enabled")
    if wanted.hash is not None:
        changed = replace(changed, hash=wanted.hash, changed_at=now)
        words.append("another password")
    if not words:
        return draft.decided({name: "unchanged"})
    draft.put(Change("users", name, changed))
    if changed.disabled or wanted.hash is not None:
        _end_sessions(draft, name)
    draft.tell("user.updated", name, ", ".join(words))
    return draft.decided({name: ", ".join(words)}, _noted(state, draft.state))


def change_password(state: State, name: str, hash: str, seen: str, keep: str, now: float) -> Decision:
    """A user's own other password, where `seen` is still the hash of the one before: all sessions but `keep` end."""
    user = state.users.get(name)
    if user is None or user.disabled or user.hash != seen:
        return Refusal("forbidden", CHANGED)
    draft = Draft(state)
    draft.put(Change("users", name, replace(user, hash=hash, changed_at=now)))
    _end_sessions(draft, name, keep)
    draft.tell("user.updated", name, "another password")
    return draft.decided({name: "another password"})


def remove(state: State, name: str) -> Decision:
    """Forget a user, and end their sessions. The last admin may go, too."""
    if name not in state.users:
        return missing("user", name, state.users)
    draft = Draft(state)
    draft.put(Change("users", name, None))
    _end_sessions(draft, name)
    draft.tell("user.removed", name, "removed")
    return draft.decided({name: "removed"}, _noted(state, draft.state))


def open_session(state: State, session: Token, seen: str, now: float) -> Decision:
    """Keep the hash of a session's secret, where `seen` is still the hash of the password that it was opened by.

    Sessions that have ended by themselves are forgotten with it, whoever's they are.
    """
    user = state.users.get(session.user)
    if user is None or user.disabled or user.hash != seen:
        return Refusal("forbidden", CHANGED)
    if session.id in state.tokens:
        return Refusal("conflict", f"there is a token {session.id} already")
    draft = Draft(state)
    for one in state.tokens.values():
        if one.user and now >= one.expires_at:
            draft.put(Change("tokens", one.id, None))
    held = [one for one in draft.state.tokens.values() if one.user == user.name]
    held.sort(key=lambda one: one.created_at)
    for one in held[: max(0, len(held) + 1 - MOST_SESSIONS)]:
        draft.put(Change("tokens", one.id, None))
    draft.put(Change("tokens", session.id, replace(session, role=user.role)))
    return draft.decided({session.id: "opened"})


def close_session(state: State, id: str) -> Decision:
    """End one session."""
    token = state.tokens.get(id)
    if token is None or not token.user:
        return Refusal("not_found", f"there is no session {id}: it has ended already")
    draft = Draft(state)
    draft.put(Change("tokens", id, None))
    return draft.decided({id: "closed"})


def _end_sessions(draft: Draft, name: str, keep: str = "") -> None:
    for one in list(draft.state.tokens.values()):
        if one.user == name and one.id != keep:
            draft.put(Change("tokens", one.id, None))


def _noted(before: State, after: State) -> dict[str, str]:
    """A word where the last admin who could sign in has gone by this."""
    return {"note": NO_ADMIN} if _has_admin(before) and not _has_admin(after) else {}


def _has_admin(state: State) -> bool:
    return any(user.role == "admin" and not user.disabled for user in state.users.values())
