"""Having a stack say again what it said before: a deploy of a revision that is kept, on the very images of then."""

from __future__ import annotations

from dataclasses import replace

from cluster.decide import history
from cluster.decide.decision import Decided, Decision, Entropy, Refusal
from cluster.decide.deploy import deploy
from cluster.model import State
from cluster.sources import Origin


def roll_back(state: State, stack: str, number: int | None, newest: int | None, by: str, entropy: Entropy) -> Decision:
    """Make the stack be as one of its revisions says, chosen as `history.find` does; `to` in the detail is its number.

    Services that it does not have are removed. The revision that this makes says which one it goes back to.
    """
    found = history.find(state, stack, number, newest)
    if isinstance(found, Refusal):
        return found
    origin = Origin(by, found.sources, of=found.number)
    decided = deploy(state, found.spec, entropy, prune=True, origin=origin)
    return replace(decided, detail={"to": str(found.number)}) if isinstance(decided, Decided) else decided
