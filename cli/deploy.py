"""Deploying a spec: images first, then one change, then the wait until it is true."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cli.build import build_image
from cli.client import Client
from cli.docker_config import sign_ins
from cli.errors import BadInput
from cli.follow import settle
from cli.lines import at_its_lines, warn_at_lines, warnings_of
from cli.output import warn_of
from cli.waiting import Waiting
from cli.words import said
from cluster.compose.loader import Loaded
from cluster.pinning import Resolve
from cluster.registries import registries_of
from cluster.sources import Sources, objection
from cluster.spec import ServiceSpec, StackSpec

if TYPE_CHECKING:
    from portal.plan_rows import PlanShown
    from portal.shapes import Changed


@dataclass(frozen=True, slots=True)
class Images:
    """How a deploy comes by its images: whether it builds them, looks their tags up, and sends Docker's sign-ins."""

    build: bool = True
    resolve: Resolve = "always"
    registry_auth: bool = True


@dataclass(frozen=True, slots=True)
class Terms:
    """What a deploy may do: remove services that left the file, and go on though no machine could have its tasks.

    A `strict` one may not do what a manager would warn of.
    """

    prune: bool = False
    ahead: bool = False
    strict: bool = False


CAREFUL = Terms()


@dataclass(frozen=True, slots=True)
class Writing:
    """What goes along with a spec of the files that it was written in.

    `sources` are kept. `here` are the paths of binds that were written relative to them, and are there on this machine.
    `aside` are the services that they have, and leave out for want of a profile.
    """

    sources: Sources | None = None
    here: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


def deploy(client: Client, loaded: Loaded, images: Images, terms: Terms, waiting: Waiting) -> None:
    """Build what the file says to build, change the stack, and wait until it runs as the file says.

    Services that the file has no more are named and kept, unless the terms are to prune. Nothing is changed where a
    build fails. Where no waiting is wanted it returns when the change is durable. Raises CliError with the reason where
    the stack does not come to run, or not in time; the deploy itself goes on.
    """
    if terms.strict:
        planned(client, loaded, images, terms)
    spec = built(client, loaded.spec) if images.build else loaded.spec
    with at_its_lines(loaded):
        accepted = client.deploy(spec.name, order(spec, images, terms, writing_of(loaded, kept(loaded.sources))))
    warn_at_lines(accepted, loaded)
    _tell(spec.name, accepted, loaded.aside)
    if not waiting.wanted:
        return
    settle(client, spec.name, accepted["revision"], timeout=waiting.timeout)
    print(f"{spec.name} runs as the file says", file=sys.stderr)


def planned(client: Client, loaded: Loaded, images: Images, terms: Terms) -> PlanShown:
    """What a deploy of these files would do now. Raises what the deploy would raise, on strict terms for a warning.

    Nothing is built for that: the plan goes by the images that builds gave last.
    """
    name = loaded.spec.name
    with at_its_lines(loaded):
        plan = client.plan(name, order(loaded.spec, images, terms, writing_of(loaded, None)))
    warnings = [*_unkept(loaded.sources), *warnings_of(plan, loaded)]
    if terms.strict and warnings:
        words = f"{name} would be deployed with warnings, which --strict refuses; nothing was changed"
        raise BadInput("\n".join((words, *warnings)))
    return plan


def change(client: Client, spec: StackSpec, images: Images, sources: Sources | None) -> int:
    """Change the stack, say what that changes, and return the revision from which on it comes true."""
    accepted = client.deploy(spec.name, order(spec, images, CAREFUL, Writing(sources)))
    warn_of(accepted)
    _tell(spec.name, accepted, ())
    return int(accepted["revision"])


def order(spec: StackSpec, images: Images, terms: Terms, writing: Writing) -> dict[str, object]:
    """The body of a deploy. What is as it would be without a word is not said: an older manager may not know it.

    Docker's sign-ins on this machine go along, those to registries that the images name.
    """
    registries = registries_of(spec.services.values()) if images.registry_auth else set()
    said = {
        "resolve": images.resolve if images.resolve != "always" else "",
        "registries": sign_ins(registries),
        "prune": terms.prune,
        "ahead": terms.ahead,
        "sources": writing.sources,
        "here": writing.here,
        "aside": writing.aside if terms.prune else (),
    }
    return {"spec": spec, **{key: value for key, value in said.items() if value}}


def writing_of(loaded: Loaded, sources: Sources | None) -> Writing:
    """What goes along of these files, as they are on this machine."""
    return Writing(sources, tuple(path for path in loaded.relative if os.path.exists(path)), loaded.aside)


def kept(sources: Sources) -> Sources | None:
    """The files as they are sent along, to be kept; None, and a warning, where a manager would not keep them."""
    warnings = _unkept(sources)
    for warning in warnings:
        print(warning, file=sys.stderr)
    return None if warnings else sources


def _unkept(sources: Sources) -> list[str]:
    why = objection(sources)
    return [f"warning: the revision is kept without its files, for {why}"] if why else []


def _tell(stack: str, accepted: Changed, aside: Collection[str]) -> None:
    changes = accepted["changes"]
    print(said(stack, changes), file=sys.stderr)
    still = sorted(name for name, change in changes.items() if change == "kept")
    if out := [name for name in still if name in aside]:
        print(f"left out by its profile, and kept: {', '.join(out)}; --profile takes it in", file=sys.stderr)
    if left := [name for name in still if name not in aside]:
        them = "it" if len(left) == 1 else "them"
        print(f"no longer in the file, and kept: {', '.join(left)}; --prune removes {them}", file=sys.stderr)


def built(client: Client, spec: StackSpec) -> StackSpec:
    """The spec, services with a `build` on the image that it gave. The same build for two services is made once."""
    made: dict[str, tuple[str, str]] = {}
    for service in spec.services.values():
        if service.build is not None and service.image not in made:
            print(f"building {service.image}", file=sys.stderr)
            made[service.image] = build_image(client, service.image, service.build)
    services = {
        key: service if service.build is None else _on(service, *made[service.image])
        for key, service in spec.services.items()
    }
    return replace(spec, services=services)


def _on(service: ServiceSpec, image: str, node: str) -> ServiceSpec:
    return replace(service, image_id=image, built_on=node)
