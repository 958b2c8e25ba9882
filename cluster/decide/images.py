"""Images that services used once: remembered, so that they can be told from what others have on the same engines."""

from __future__ import annotations

from collections.abc import Mapping

from cluster.decide.decision import Draft
from cluster.model import Change
from cluster.spec import ServiceSpec

USED = "used_image:"
KEPT = 1_000


def note_used(draft: Draft, spec: ServiceSpec) -> None:
    """Remember the image of a revision that is being forgotten; of more than KEPT the oldest go."""
    key = USED + spec.reference
    if key in draft.state.settings:
        return
    known = {key: _age(text) for key, text in draft.state.settings.items() if key.startswith(USED)}
    for old in sorted(known, key=lambda key: known[key])[: max(0, len(known) + 1 - KEPT)]:
        draft.put(Change("settings", old, None))
    draft.put(Change("settings", key, f"{draft.state.revision} {spec.image}"))


def used_images(settings: Mapping[str, str]) -> dict[str, str]:
    """The images as their services named them, by the reference that an engine had them by."""
    return {key.removeprefix(USED): text.partition(" ")[2] for key, text in settings.items() if key.startswith(USED)}


def _age(text: str) -> int:
    """The revision at which it was noted."""
    return int(text.partition(" ")[0])
