"""Deploying a spec: images first, then one change, then the wait until it is true."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

from cli.build import build_image
from cli.client import Client
from cli.follow import settle
from cli.waiting import Waiting
from cli.words import said
from cluster.spec import ServiceSpec, StackSpec


def deploy(client: Client, spec: StackSpec, *, build: bool, waiting: Waiting) -> None:
    """Build what the file says to build, change the stack, and wait until it runs as the file says.

    Nothing is changed where a build fails. Where no waiting is wanted it returns when the change is durable. Raises
    CliError with the reason where the stack does not come to run, or not in time; the deploy itself goes on.
    """
    if build:
        spec = replace(spec, services=_built(client, spec.services))
    accepted = client.deploy(spec)
    print(said(spec.name, accepted["changes"]), file=sys.stderr)
    if not waiting.wanted:
        return
    settle(client, spec.name, accepted["revision"], timeout=waiting.timeout)
    print(f"{spec.name} runs as the file says", file=sys.stderr)


def _built(client: Client, services: Mapping[str, ServiceSpec]) -> dict[str, ServiceSpec]:
    """The services, those with a `build` on the image that it gave. The same build for two services is made once."""
    images: dict[str, tuple[str, str]] = {}
    for service in services.values():
        if service.build is not None and service.image not in images:
            print(f"building {service.image}", file=sys.stderr)
            images[service.image] = build_image(client, service.image, service.build)
    return {
        key: service if service.build is None else _on(service, *images[service.image])
        for key, service in services.items()
    }


def _on(service: ServiceSpec, image: str, node: str) -> ServiceSpec:
    return replace(service, image_id=image, built_on=node)
