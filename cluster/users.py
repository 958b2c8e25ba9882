"""The people who use a cluster, each with a password: what they may do, and what a password has to be.

Times are seconds since the epoch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cluster.model import Token

UserRole = Literal["viewer", "operator", "admin"]

ROLES: tuple[UserRole, ...] = ("viewer", "operator", "admin")
"""From the least to the most."""

SHORTEST = 12
LONGEST = 1_000
RULES = f"a password has {SHORTEST} to {LONGEST:,} characters, and is not the user's name"

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}")
# What the audit calls whoever may open the manager's own socket.
_RESERVED = "root"


@dataclass(frozen=True, slots=True)
class User:
    """A person. `hash` is of the password, as argon2id writes it (PHC); `changed_at` is when that was set."""

    name: str
    role: UserRole
    hash: str = field(repr=False)
    created_at: float
    changed_at: float
    disabled: bool = False


def role_of(token: Token, users: Mapping[str, User]) -> UserRole | None:
    """What a token's holder may do now; None where its user is gone or disabled.

    A session may do what it was opened for, and no more than its user may by now.
    """
    if not token.user:
        return token.role
    user = users.get(token.user)
    if user is None or user.disabled:
        return None
    return min(token.role, user.role, key=ROLES.index)


def name_objection(name: str, noun: str = "user") -> str:
    """Why no user, or token, can be called so; empty for a good name."""
    if name == _RESERVED:
        return f'the name "{_RESERVED}" is that of the manager\'s own socket: choose another'
    if not _NAME.fullmatch(name):
        alphabet = "lower-case letters, digits, `.`, `_`, `@` and `-`, a letter or digit first"
        return f"a {noun}'s name has at most 63 {alphabet}"
    return ""


def password_objection(name: str, password: str) -> str:
    """Why a password is none for this user; empty for a good one. The words do not have it in them."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"the password has {len(password)} characters: {RULES}"
    return f"the password is the user's name: {RULES}" if password.casefold() == name.casefold() else ""
