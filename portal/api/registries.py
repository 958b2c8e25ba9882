"""`/v1/registries`: sign-ins to registries, whose secrets are sealed and never shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import SignIn, SignOut
from cluster.registries import Credential, registry_named
from portal.access_rows import RegistryRow, registry_row
from portal.api.bodies import body_of
from portal.api.endpoint import listed, write
from portal.api.problems import Problem
from portal.api.requests import backend_of, change, key_of, listing, state_of
from portal.shapes import Changed


@dataclass(frozen=True, slots=True)
class Login:
    """The body of a sign-in."""

    username: str
    password: str = field(repr=False)


def credential(login: Login) -> Credential:
    """What a registry is to be shown. Raises Problem where that is empty."""
    if not login.username or not login.password:
        raise Problem("invalid", "a sign-in to a registry needs a username and a password")
    return Credential(login.username, login.password)


async def index(request: Request) -> Response:
    """Who is signed in where: first the cluster, then what came with deploys."""
    state = await state_of(request)
    rows = [registry_row(login) for login in state.registries.values()]
    return listing(request, rows, state.revision, ("stack", "registry"))


async def sign_in(request: Request) -> Response:
    """Show the registry a sign-in, and keep it where it is taken."""
    given, backend = credential(await body_of(request, Login)), backend_of(request)
    registry = registry_named(request.path_params["registry"])
    await backend.registries.sign_in(registry, given)
    sealed = backend.vault.seal(registry, "", given)
    return await change(request, SignIn(registry, given.username, sealed, key_of(request)))


async def sign_out(request: Request) -> Response:
    """Forget every sign-in to a registry."""
    return await change(request, SignOut(registry_named(request.path_params["registry"]), key_of(request)))


ONE = "/v1/registries/{registry}"

ENDPOINTS = (
    listed("/v1/registries", index, RegistryRow),
    write("PUT", ONE, sign_in, Changed, body=Login, access="admin"),
    write("DELETE", ONE, sign_out, Changed, access="admin"),
)
