"""Commands to the Senate on users and their sessions. Of a password they have a hash and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster.users import UserRole
from supervisor.message import message


@message("user.create/1")
@dataclass(frozen=True, slots=True)
class CreateUser:
    """Take a user in. `changes` is {name: created}."""

    name: str
    role: UserRole
    hash: str = field(repr=False)
    request: str = ""


@message("user.update/1")
@dataclass(frozen=True, slots=True)
class UpdateUser:
    """Change a user's role, password or whether they may sign in; what is None stays.

    `detail` has a `note` where no admin is left who can sign in.
    """

    user: str
    role: UserRole | None = None
    disabled: bool | None = None
    hash: str | None = field(default=None, repr=False)
    request: str = ""


@message("user.remove/1")
@dataclass(frozen=True, slots=True)
class RemoveUser:
    """Forget a user, and end their sessions. `detail` as of `UpdateUser`."""

    user: str
    request: str = ""


@message("user.change-password/1")
@dataclass(frozen=True, slots=True)
class ChangePassword:
    """A user's own other password, where the hash of the present one is still as `seen`.

    All of the user's sessions end but that of the id `keep`.
    """

    user: str
    hash: str = field(repr=False)
    seen: str = field(repr=False)
    keep: str = ""
    request: str = ""


@message("session.open/1")
@dataclass(frozen=True, slots=True)
class OpenSession:
    """Keep the `hash` of a session's secret, where the user's password still has the hash that was `seen`.

    `changes` is {id: opened}.
    """

    id: str
    user: str
    hash: str = field(repr=False)
    seen: str = field(repr=False)
    expires_at: float = 0.0


@message("session.close/1")
@dataclass(frozen=True, slots=True)
class CloseSession:
    """End one session. `changes` is {id: closed}."""

    id: str
    request: str = ""
