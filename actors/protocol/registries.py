"""Sign-ins to registries: kept by the Senate, sealed, and given to a machine for one pull."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster.registries import Credential
from supervisor.message import message


@message("registry.sign_in/1")
@dataclass(frozen=True, slots=True)
class SignIn:
    """Keep a sealed sign-in to a registry, for all stacks. `changes` is {registry: signed in}."""

    registry: str
    username: str
    sealed: str = field(repr=False)
    request: str = ""


@message("registry.sign_out/1")
@dataclass(frozen=True, slots=True)
class SignOut:
    """Forget the cluster's sign-in to a registry, and those that came with deploys. `changes` is {registry: …}."""

    registry: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class Brought:
    """A sealed sign-in that came with a deploy."""

    registry: str
    username: str
    sealed: str = field(repr=False)


@message("credential.want/1")
@dataclass(frozen=True, slots=True)
class WantCredential:
    """From a machine to the manager's `keyring`: what is its task's image to be pulled with? Answered by `Lent`."""

    node: str
    task: str


@message("credential.lent/1")
@dataclass(frozen=True, slots=True)
class Lent:
    """What to show the registry, for one pull; none where nothing is kept, with the `problem` if there is one."""

    credential: Credential | None = None
    problem: str = ""
