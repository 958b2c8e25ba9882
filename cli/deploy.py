"""Deploying a spec: images first, then one change, then the wait until it is true."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cli.build import build_image
from cli.client import Client
from cli.docker_config import sign_ins
from cli.follow import settle
from cli.output import warn_of
from cli.waiting import Waiting
from cli.words import said
from cluster.pinning import Resolve
from cluster.registries import registries_of
from cluster.spec import ServiceSpec, StackSpec


@dataclass(frozen=True, slots=True)
class Images:
    """How a deploy comes by its images: whether it builds them, looks their tags up, and sends Docker's sign-ins."""

    build: bool = True
    resolve: Resolve = "always"
    registry_auth: bool = True


def deploy(client: Client, spec: StackSpec, images: Images, waiting: Waiting, *, ahead: bool, prune: bool) -> None:
    """Build what the file says to build, change the stack, and wait until it runs as the file says.

    Services that the file has no more are named and kept, with `prune` removed. Nothing is changed where a build fails.
    Where no waiting is wanted it returns when the change is durable. Raises CliError with the reason where the stack
    does not come to run, or not in time; the deploy itself goes on.
    """
    revision = change(client, built(client, spec) if images.build else spec, images, ahead=ahead, prune=prune)
    if not waiting.wanted:
        return
    settle(client, spec.name, revision, timeout=waiting.timeout)
    print(f"{spec.name} runs as the file says", file=sys.stderr)


def change(client: Client, spec: StackSpec, images: Images, *, ahead: bool = False, prune: bool = False) -> int:
    """Change the stack, say what that changes, and return the revision from which on it comes true.

    Docker's sign-ins on this machine go along, those to registries that the images name.
    """
    registries = registries_of(spec.services.values()) if images.registry_auth else set()
    accepted = client.deploy(spec, images.resolve, sign_ins(registries), ahead=ahead, prune=prune)
    warn_of(accepted)
    print(said(spec.name, accepted["changes"]), file=sys.stderr)
    _name_kept(accepted["changes"])
    return int(accepted["revision"])


def _name_kept(changes: Mapping[str, str]) -> None:
    kept = sorted(name for name, change in changes.items() if change == "kept")
    if kept:
        them = "it" if len(kept) == 1 else "them"
        print(f"no longer in the file, and kept: {', '.join(kept)}; --prune removes {them}", file=sys.stderr)


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
