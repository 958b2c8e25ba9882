"""Which of an engine's images services mean, however these were written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cluster.model import State
from cluster.registries import repository_of
from cluster.spec import ServiceSpec
from cluster.usage import KeptImage

_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


class Meant:
    """The images that some references mean: by an id, by a digest, or else by the tag that an image has now."""

    def __init__(self, references: Iterable[str]) -> None:
        self._ids, self._digests, self._tags = set[str](), set[str](), set[str]()
        for reference in references:
            _, by_digest, digest = reference.partition("@")
            if _ID.fullmatch(reference):
                self._ids.add(reference.removeprefix("sha256:"))
            elif by_digest:
                self._digests.add(digest)
            else:
                self._tags.add(in_full(reference))

    def __contains__(self, image: KeptImage) -> bool:
        """Where an engine keeps images by their digests, such a one is its id, too."""
        digests = {image.id, *(digest.partition("@")[2] for digest in image.digests)}
        by_name = any(in_full(tag) in self._tags for tag in image.tags)
        return by_name or image.id.removeprefix("sha256:") in self._ids or not self._digests.isdisjoint(digests)


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
