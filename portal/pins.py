"""What a deploy's images are: asked of their registries, once for all replicas, with the sign-ins that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from actors.keyring import Unopened
from actors.protocol import Brought
from cluster.model import State
from cluster.pinning import Resolve, Resolved, pinned, to_ask
from cluster.registries import Credential, login_for, login_key, registries_of, registry_of
from cluster.spec import StackSpec
from portal.backend import Backend

# Of one registry that hangs: what is not known by then is deployed as it is written, with a warning.
SECONDS = 10.0
ASKED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Pinned:
    """A spec with digests, what to warn of, and the sign-ins that are to be kept."""

    spec: StackSpec
    warnings: tuple[str, ...] = ()
    logins: tuple[Brought, ...] = field(default=(), repr=False)


async def pin(
    backend: Backend, state: State, spec: StackSpec, resolve: Resolve, brought: Mapping[str, Credential]
) -> Pinned:
    """Look up the images of a stack. `brought` are the sign-ins, by registry, of whoever deploys it."""
    known = {service.name: service.spec for service in state.services_of(spec.name)}
    needed = registries_of(spec.services.values())
    kept = {registry: _kept(backend, state, registry, spec.name) for registry in needed}
    # The cluster's own sign-in counts before anybody's.
    news = {
        registry: credential
        for registry, credential in brought.items()
        if registry in needed and credential != kept[registry] and login_key(registry, "") not in state.registries
    }
    found = await _ask(backend, to_ask(spec, known, resolve), {**kept, **news})
    spec, warnings = pinned(spec, known, resolve, found, len(state.nodes))
    sealed = (Brought(r, one.username, backend.vault.seal(r, spec.name, one)) for r, one in news.items())
    return Pinned(spec, warnings, tuple(sealed))


def _kept(backend: Backend, state: State, registry: str, stack: str) -> Credential | None:
    login = login_for(state, registry, stack)
    try:
        return backend.vault.open(login) if login is not None else None
    except Unopened:
        return None  # whoever has to pull by it is told so


async def _ask(
    backend: Backend, images: Sequence[str], credentials: Mapping[str, Credential | None]
) -> dict[str, Resolved]:
    """What each image's registry says, within a time that is for all of them."""
    found = {image: Resolved(problem=f"its registry did not answer within {SECONDS:g} s") for image in images}
    limiter = anyio.CapacityLimiter(ASKED_AT_ONCE)

    async def one(image: str) -> None:
        async with limiter:
            found[image] = await backend.registries.digest(image, credentials[registry_of(image)])

    with anyio.move_on_after(SECONDS):
        async with anyio.create_task_group() as group:
            for image in images:
                group.start_soon(one, image)
    return found
