"""All steps and all calls, in the order in which each finds what those before it left."""

from __future__ import annotations

from tests.lab import calls_machines, calls_stacks, walk_access, walk_machines, walk_stacks
from tests.lab.calls import Call
from tests.lab.walk import Step

STEPS: tuple[Step, ...] = (
    *walk_machines.BEGIN,
    *walk_access.CONTEXTS,
    *walk_access.SIGN_INS,
    *walk_access.USERS,
    *walk_stacks.BEGIN,
    *walk_stacks.SERVICES,
    *walk_stacks.PARTS,
    *walk_machines.NODES,
    *walk_stacks.END,
    *walk_machines.STATE,
    *walk_stacks.ROOM,
    *walk_machines.LOSSES,
    *walk_access.RECORDS,
)
"""Every command: at least one step that succeeds, and one that is refused."""

FIRST: tuple[Call, ...] = (*calls_machines.CLUSTER, *calls_stacks.BEGIN)
"""A cluster with a stack, on which a viewer may try what it likes."""

THEN: tuple[Call, ...] = (
    *calls_stacks.CHANGES,
    *calls_stacks.PARTS,
    *calls_machines.RECORDS,
    *calls_machines.USERS,
    *calls_stacks.END,
    *calls_machines.END,
)
"""The other endpoints, to the end of all of it."""
