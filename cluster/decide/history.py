"""What a stack said at each of its last deploys, so that a person can see it, and have it again."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

from cluster.decide.decision import Draft, Refusal
from cluster.model import Change, State
from cluster.revisions import StackRevision
from cluster.sources import Origin
from cluster.spec import StackSpec, as_json

KEPT = 10
MOST_BYTES = 2 * 1024 * 1024
QUIET = ("unchanged", "kept")


def history_of(state: State, stack: str) -> list[StackRevision]:
    """The revisions of a stack that are kept, oldest first."""
    mine = (one for one in state.stack_revisions.values() if one.stack == stack)
    return sorted(mine, key=lambda one: one.number)


def note(draft: Draft, spec: StackSpec, told: Mapping[str, str], origin: Origin, now: float) -> None:
    """Keep what a stack says from now on; nothing where it is what the newest revision says.

    The oldest go: no more than KEPT stay, and of those as many as have room in MOST_BYTES, but always the newest.
    """
    mine = history_of(draft.state, spec.name)
    newest = mine[-1] if mine else None
    if newest is not None and newest.spec == spec and origin.sources in ("", newest.sources):
        return
    revision = StackRevision(
        stack=spec.name,
        number=1 if newest is None else newest.number + 1,
        at=now,
        by=origin.by,
        changes={name: what for name, what in told.items() if what not in QUIET},
        spec=spec,
        sources=origin.sources,
        size=len(as_json(spec)) + len(origin.sources) + sum(config.size for config in spec.configs.values()),
        of=origin.of,
    )
    draft.put(Change("stack_revisions", revision.key, revision))
    newest_first = [revision, *reversed(mine)]
    room = accumulate(one.size for one in newest_first)
    for index, (one, size) in enumerate(zip(newest_first, room, strict=True)):
        if index and (index >= KEPT or size > MOST_BYTES):
            draft.put(Change("stack_revisions", one.key, None))


def forget(draft: Draft, stack: str) -> None:
    """Forget what a stack that is gone said."""
    for one in history_of(draft.state, stack):
        draft.put(Change("stack_revisions", one.key, None))


def find(state: State, stack: str, number: int | None, newest: int | None = None) -> StackRevision | Refusal:
    """A revision by its number; without one the last before the present one that says another thing.

    Where the stack went back already, that is before the revision that it went back to: what was gone back from never
    returns. `newest` is the newest revision that whoever asks knows of; past another one nothing is found.
    """
    mine = history_of(state, stack)
    if newest is not None and mine and mine[-1].number != newest:
        return Refusal("conflict", f"stack {stack} is no longer at revision {newest}: {_news(mine[-1])}")
    if number is None:
        earlier = _earlier(mine, state.stacks[stack].spec) if stack in state.stacks else []
        return earlier[-1] if earlier else Refusal("conflict", f"stack {stack} has no revision before the present one")
    found = next((one for one in mine if one.number == number), None)
    if found is not None:
        return found
    kept = f"{mine[0].number} to {mine[-1].number} are kept" if mine else "none is kept"
    return Refusal("not_found", f"stack {stack} has no revision {number}: {kept}; see `gbnt stack history {stack}`")


def _earlier(mine: list[StackRevision], present: StackSpec) -> list[StackRevision]:
    """What the stack said before it came to say what it does now, oldest first."""
    if mine and mine[-1].spec == present:
        first = _first_of(mine)
        mine = [one for one in mine if one.number < first]
    return [one for one in mine if one.spec != present]


def _first_of(mine: list[StackRevision]) -> int:
    """The number of the revision that the newest one goes back to, by however many ways back; its own where none."""
    gone_back = {one.number: one.of for one in mine if one.of}
    number = mine[-1].number
    while number in gone_back:
        number = gone_back[number]
    return number


def _news(newest: StackRevision) -> str:
    went = f"went back to {newest.of}" if newest.of else "deployed it"
    again = f"see `gbnt stack history {newest.stack}`, and say which revision you want"
    return f"{newest.by or 'root'} {went} meanwhile, as {newest.number}; {again}"
