"""Decisions on sign-ins to registries: the cluster's own, and those that come with a stack's deploy."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.decide.decision import Decision, Draft, Refusal
from cluster.model import Change, RegistryLogin, State
from cluster.registries import registries_of, registry_named


def sign_in(state: State, login: RegistryLogin) -> Decision:
    """Keep the cluster's sign-in to a registry, in the place of the one before."""
    if not login.registry or registry_named(login.registry) != login.registry:
        return Refusal("invalid", f'"{login.registry}" names no registry: give its host, as in registry.example:5000')
    word = "signed in anew" if login.key in state.registries else "signed in"
    draft = Draft(state)
    draft.put(Change("registries", login.key, login))
    draft.tell("registry.login", login.registry, f"{word} as {login.username}")
    return draft.decided({login.registry: word})


def sign_out(state: State, registry: str) -> Decision:
    """Forget every sign-in to a registry, those of deploys too: a person who asks for this wants none to be left."""
    known = [login for login in state.registries.values() if login.registry == registry]
    if not known:
        text = f"nobody has signed in to {registry}; `gbnt registry ls` shows where"
        return Refusal("not_found", text)
    draft = Draft(state)
    for login in known:
        draft.put(Change("registries", login.key, None))
    draft.tell("registry.logout", registry, "signed out")
    return draft.decided({registry: "signed out"})


def bring(draft: Draft, stack: str, logins: Iterable[RegistryLogin]) -> None:
    """Keep what came with a stack's deploy, and forget what its images have no use for."""
    spec = draft.state.stacks[stack].spec
    wanted = registries_of(spec.services.values())
    for login in logins:
        if login.registry in wanted:
            draft.put(Change("registries", login.key, login))
            draft.tell("registry.login", login.registry, f"stack {stack} brought the sign-in of {login.username}")
    for login in list(draft.state.registries.values()):
        if login.stack == stack and login.registry not in wanted:
            draft.put(Change("registries", login.key, None))


def forget(draft: Draft, stack: str) -> None:
    """Forget what came with the deploys of a stack that is gone."""
    for login in list(draft.state.registries.values()):
        if login.stack == stack:
            draft.put(Change("registries", login.key, None))
