"""Images by digest: a tag may move, so a deploy asks once what it means, and all replicas run the same bits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cluster.spec import ServiceSpec, StackSpec

Resolve = Literal["always", "changed", "never"]
"""When a registry is asked what a tag means: at each deploy, where the image is another than before, or not at all."""

_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a registry said of an image: its digest, or in a sentence why that is not known."""

    digest: str = ""
    problem: str = ""


def to_ask(spec: StackSpec, known: Mapping[str, ServiceSpec], resolve: Resolve) -> tuple[str, ...]:
    """The images whose digest has to be asked for, each once. `known` are the stack's services as they are now."""
    if resolve == "never":
        return ()
    wanted = (s for s in spec.services.values() if has_tag(s) and not (resolve == "changed" and _as_was(s, known)))
    return tuple(dict.fromkeys(service.image for service in wanted))


def pinned(
    spec: StackSpec, known: Mapping[str, ServiceSpec], resolve: Resolve, found: Mapping[str, Resolved], machines: int
) -> tuple[StackSpec, tuple[str, ...]]:
    """The spec with the digest of each image, and warnings: one for each that has none, or keeps the one it had.

    A registry that does not answer is no reason to run anything else than before. Where there are no two `machines`,
    an image without a digest cannot be another one on another: nothing is said of it.
    """
    services, warnings = dict[str, ServiceSpec](), dict[str, None]()
    for name, service in spec.services.items():
        before = known.get(name)
        had = before.digest if before is not None and _as_was(service, known) else ""
        answer = found.get(service.image, Resolved(had))
        if not has_tag(service) or resolve == "never":
            answer = Resolved()
        elif answer.problem and (had or machines > 1):
            warnings[_warning(service.image, answer.problem, had)] = None
        services[name] = replace(service, digest=answer.digest or (had if answer.problem else ""))
    return replace(spec, services=services), tuple(warnings)


def has_tag(service: ServiceSpec) -> bool:
    """Whether a registry says what the image is: it was not built here, may be pulled, and is named by a tag."""
    pulled = not service.image_id and service.pull_policy != "never"
    return pulled and "@" not in service.image and not _ID.fullmatch(service.image)


def unpinned(spec: StackSpec) -> StackSpec:
    """The spec as a person wrote it, without what its tags meant at some time."""
    return replace(spec, services={name: replace(one, digest="") for name, one in spec.services.items()})


def _as_was(service: ServiceSpec, known: Mapping[str, ServiceSpec]) -> bool:
    """Whether the service's image is written as it was, and had a digest."""
    before = known.get(service.name)
    return before is not None and before.image == service.image and bool(before.digest)


def _warning(image: str, problem: str, had: str) -> str:
    if had:
        return f"{image} stays what it was ({had[:19]}), for its tag could not be looked up: {problem}"
    return f"{image} is not pinned, and may be another image on another machine: {problem}"
