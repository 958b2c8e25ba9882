"""By which request of the API something is as it is: noted where it is decided, and handed on from there.

A command changes a service, the service's tasks follow, and a machine brings their containers about: minutes later,
elsewhere, and from the state alone. So the id is a part of what is wanted, and goes wherever that goes.
"""

from __future__ import annotations

from dataclasses import replace

from cluster.decide.decision import Decided
from cluster.model import Change, Service, Task


def signed(decided: Decided, request: str) -> Decided:
    """The decision on a command that came with that request; none is no name to sign by."""
    if not request:
        return decided
    changes = tuple(_signed(change, request) for change in decided.changes)
    happenings = tuple(replace(happening, request=request) for happening in decided.happenings)
    return replace(decided, changes=changes, happenings=happenings)


def _signed(change: Change, request: str) -> Change:
    if not isinstance(change.entity, Service | Task):
        return change
    return replace(change, entity=replace(change.entity, request=request))
