"""Registries: which one an image is of, who signs in to it, and what is said where it does not give an image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cluster.model import RegistryLogin, State
    from cluster.spec import ServiceSpec

HUB = "docker.io"
# The name with which credential helpers keep a token in the place of a password.
TOKEN_USER = "<token>"

Trouble = Literal["", "denied", "missing", "limited", "unreachable"]
"""Why a registry did not give an image; empty is another reason."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a registry is shown. No representation of it has the password, so that no log has it."""

    username: str
    password: str = field(repr=False)


def registry_of(image: str) -> str:
    """The registry that an image's reference names; Docker's own where it names none."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    return registry_named(first) if named else HUB


def registry_named(text: str) -> str:
    """The one name of a registry that a person, or Docker's configuration, may write as a URL. Empty for none."""
    host = text.strip().rpartition("://")[2].partition("/")[0].lower()
    return HUB if host in ("index.docker.io", "registry-1.docker.io", "registry.hub.docker.com") else host


def repository_of(image: str) -> str:
    """The reference in full, without tag and digest: the same for all ways to write it."""
    registry, named = registry_of(image), image.partition("@")[0]
    path = named if registry_named(named) != registry else named.partition("/")[2]
    head, slash, last = path.rpartition("/")
    library = "library/" if registry == HUB and not head else ""
    return f"{registry}/{library}{head}{slash}{last.partition(':')[0]}"


def registries_of(services: Iterable[ServiceSpec]) -> set[str]:
    """The registries that these services' images may be pulled from."""
    return {registry_of(one.image) for one in services if not one.image_id and one.pull_policy != "never"}


def login_key(registry: str, stack: str) -> str:
    """The key under which a sign-in is kept: `stack/registry`, and `/registry` for that of the whole cluster."""
    return f"{stack}/{registry}"


def login_for(state: State, registry: str, stack: str) -> RegistryLogin | None:
    """The sign-in that counts for a stack's images: the cluster's own, else what came with the stack's last deploy.

    The first was given to be lasting, the second may be a person's and expire.
    """
    return state.registries.get(login_key(registry, "")) or state.registries.get(login_key(registry, stack))


def advised(text: str, trouble: Trouble, registry: str, username: str = "", unasked: str = "") -> str:
    """What a registry said, and what to do.

    `username` is who signed in, if anybody did; `unasked` why nobody knows whether there is a sign-in for it.
    """
    sign_in = f"`gbnt registry login {registry}`"
    if trouble == "denied" and unasked:
        return f"{text}; it may need a sign-in, and {unasked}"
    if trouble == "denied" and username:
        return f"{text} to {username}: see that {username} may have it, or sign in anew by {sign_in}"
    if trouble == "denied":
        return f"{text}: there is no such image, or it needs a sign-in, by {sign_in}"
    if trouble == "limited" and not username:
        return f"{text}; it is asked again ever more seldom, and gives more to who signs in, by {sign_in}"
    if trouble == "limited":
        return f"{text}; it is asked again ever more seldom"
    return text
