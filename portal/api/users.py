"""`/v1/users`: the people who use the cluster. What is kept of their passwords is in no answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import CreateUser, RemoveUser, UpdateUser
from cluster.users import UserRole, name_objection, password_objection
from portal.access_rows import UserRow, user_row
from portal.api.auditing import specify
from portal.api.bodies import body_of
from portal.api.endpoint import listed, read, write
from portal.api.passwords import passwords_of
from portal.api.problems import Problem, missing
from portal.api.requests import answer, backend_of, change, key_of, listing, state_of
from portal.shapes import Changed


@dataclass(frozen=True, slots=True)
class Newcomer:
    """The body of a new user."""

    name: str
    role: UserRole
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserChanges:
    """The body of a change; what is not in it stays. Another password, and being disabled, end the user's sessions."""

    role: UserRole | None = None
    disabled: bool | None = None
    password: str | None = field(default=None, repr=False)


async def index(request: Request) -> Response:
    """The users, by name."""
    state, now = await state_of(request), backend_of(request).clock()
    return listing(request, [user_row(user, state, now) for user in state.users.values()], state.revision)


async def show(request: Request) -> Response:
    """One user."""
    state, name = await state_of(request), request.path_params["user"]
    user = state.users.get(name)
    if user is None:
        raise missing("user", name, state.users, "gbnt user ls")
    return answer(user_row(user, state, backend_of(request).clock()))


async def create(request: Request) -> Response:
    """Take a user in, who signs in with the password from then on."""
    body = await body_of(request, Newcomer)
    if why := name_objection(body.name):
        raise Problem("invalid", why)
    specify(request, subject=body.name, detail=f"role {body.role}")
    hash = await hashed(request, body.name, body.password)
    return await change(request, CreateUser(body.name, body.role, hash, key_of(request)), 201)


async def update(request: Request) -> Response:
    """Change what a user may do, whether they may sign in, or their password."""
    body, name = await body_of(request, UserChanges), request.path_params["user"]
    hash = None if body.password is None else await hashed(request, name, body.password)
    return await change(request, UpdateUser(name, body.role, body.disabled, hash, key_of(request)))


async def remove(request: Request) -> Response:
    """Forget a user, and end their sessions. The last admin may go: root on the manager's machine stays one."""
    return await change(request, RemoveUser(request.path_params["user"], key_of(request)))


async def hashed(request: Request, name: str, password: str) -> str:
    """The hash of a password for this user. Raises Problem for one that is none.

    A repeat sets nothing: it is for the password that the user has, or it would be answered as done and is not.
    """
    if why := password_objection(name, password):
        raise Problem("invalid", why)
    state, passwords = await state_of(request), passwords_of(request)
    user = state.users.get(name) if key_of(request) in state.commands else None
    if user is None:
        return await passwords.hash(password)
    if not await passwords.is_right(password, user.hash):
        text = "this Idempotency-Key was used before, and the user has another password by now, so nothing was done"
        raise Problem("invalid", f"{text}: send this one under a new key")
    return user.hash


ONE = "/v1/users/{user}"

ENDPOINTS = (
    listed("/v1/users", index, UserRow, access="admin"),
    write("POST", "/v1/users", create, Changed, body=Newcomer, status=201, access="admin"),
    read(ONE, show, UserRow, access="admin"),
    write("PATCH", ONE, update, Changed, body=UserChanges, access="admin"),
    write("DELETE", ONE, remove, Changed, access="admin"),
)
