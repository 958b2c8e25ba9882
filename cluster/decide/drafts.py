"""Drafts of stacks: what a person has not deployed yet, kept where others find it. No container is touched by one."""

from __future__ import annotations

from dataclasses import replace

from cluster.compose.checks import wrong
from cluster.decide.decision import Decided, Decision, Draft, Entropy, Refusal
from cluster.model import Change, State
from cluster.revisions import StackDraft
from cluster.sources import Origin
from cluster.spec import StackSpec, as_json

MOST = 100
LARGEST = 1024 * 1024


def save(
    state: State,
    spec: StackSpec,
    origin: Origin,
    entropy: Entropy,
    refusals: tuple[str, ...] = (),
    replaces: float | None = None,
) -> Decision:
    """Keep a draft of a stack in the place of the one before; the stack need not be there.

    One that somebody else saved is only replaced where `replaces` says when that was: who replaces it has seen it.
    With `refusals`, what keeps it from being deployed, the spec is not checked.
    """
    if not refusals and (why := wrong(spec)):
        return Refusal("invalid", why)
    if len(as_json([spec, refusals])) + len(origin.sources) > LARGEST:
        return Refusal(
            "invalid", f"the draft is larger than {LARGEST >> 20} MiB: keep large contents of configs in files"
        )
    known = state.stack_drafts.get(spec.name)
    if known is None and len(state.stack_drafts) >= MOST:
        return Refusal("conflict", f"there are {MOST} drafts already: `gbnt stack save STACK --drop` drops one")
    wanted = StackDraft(spec.name, entropy.now, origin.by, spec, origin.sources, refusals)
    if known is not None and replace(wanted, at=known.at, by=known.by) == known:
        return Decided(told={spec.name: "unchanged"})
    if known is not None and replaces != known.at and (replaces is not None or known.by != origin.by):
        look = f"look at it with `gbnt stack sources {spec.name} --draft`, and save yours with --replace"
        return Refusal(
            "conflict", f"there is a draft of {spec.name} by {known.by or 'root'}, another than yours: {look}"
        )
    draft = Draft(state)
    draft.put(Change("stack_drafts", spec.name, wanted))
    draft.tell("stack.saved", spec.name, "a draft was saved")
    return draft.decided({spec.name: "saved as a draft"})


def drop(state: State, stack: str) -> Decision:
    """Forget a draft."""
    if stack not in state.stack_drafts:
        return Refusal("not_found", f"stack {stack} has no draft")
    draft = Draft(state)
    draft.put(Change("stack_drafts", stack, None))
    draft.tell("stack.draft-dropped", stack, "its draft was dropped")
    return draft.decided({stack: "draft dropped"})
