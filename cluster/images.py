"""Which of an engine's images a service means, however it was written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cluster.model import State
from cluster.registries import repository_of
from cluster.spec import ServiceSpec
from cluster.usage import KeptImage

_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


def is_meant(image: KeptImage, reference: str) -> bool:
    """Whether a service of that reference runs this image: by its id, its digest, or else a tag that it has now."""
    if _ID.fullmatch(reference):
        return image.id.removeprefix("sha256:") == reference.removeprefix("sha256:")
    _, by_digest, digest = reference.partition("@")
    if by_digest:
        return image.id == digest or any(known.endswith(f"@{digest}") for known in image.digests)
    return in_full(reference) in {in_full(tag) for tag in image.tags}


def in_full(image: str) -> str:
    """A name with registry, repository and tag: one for all ways to write it. A digest is left out."""
    named = image.partition("@")[0].rpartition("/")[2]
    return f"{repository_of(image)}:{named.partition(':')[2] or 'latest'}"


def kept_references(state: State) -> set[str]:
    """What services run, and may go back to: of all stacks, their kept revisions and their drafts."""
    return {reference for spec in _kept(state) for reference in _references(spec)}


def _kept(state: State) -> Iterator[ServiceSpec]:
    yield from state.revisions.values()
    yield from (service.spec for service in state.services.values())
    for stacks in (state.stacks, state.stack_revisions, state.stack_drafts):
        for stack in stacks.values():
            yield from stack.spec.services.values()


def _references(spec: ServiceSpec) -> Iterator[str]:
    """One that was built is known by its tag as well: whoever deploys without building it takes that."""
    yield spec.reference
    if spec.image_id:
        yield spec.image
