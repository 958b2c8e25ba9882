"""A supervisor's record of one child, through all of that child's lives."""

from __future__ import annotations

from typing import Literal

from supervisor.address import Address
from supervisor.cell import ActorCell, Cell
from supervisor.errors import explain
from supervisor.inspection import ActorInfo
from supervisor.spec import ChildSpec, SupervisorSpec

ChildState = Literal["starting", "running", "stopping", "stopped", "restarting"]


class Child:
    """The spec, the present life if there is one, and the history of those before."""

    def __init__(self, address: Address, spec: ChildSpec, *, dynamic: bool) -> None:
        self.address = address
        self.spec = spec
        self.dynamic = dynamic
        self.cell: Cell | None = None
        self.restarting = False
        self.restarts = 0
        self.kind = "Supervisor" if isinstance(spec.factory, SupervisorSpec) else "Actor"
        self._last_failure: str | None = None
        self._last_failure_at: float | None = None

    def failed(self, error: Exception, at: float) -> None:
        """Remember a failure, at a wall-clock time."""
        self._last_failure = explain(error)
        self._last_failure_at = at

    def info(self, children: tuple[str, ...]) -> ActorInfo:
        """Return what there is to see."""
        cell = self.cell
        idle: ChildState = "restarting" if self.restarting else "stopped"
        return ActorInfo(
            address=self.address,
            kind=self.kind,
            state=idle if cell is None else cell.state,
            incarnation=0 if cell is None else cell.incarnation,
            mailbox=0 if cell is None else len(cell.mailbox),
            capacity=0 if cell is None else cell.mailbox.capacity,
            processed=0 if cell is None else cell.processed,
            restarts=self.restarts,
            last_failure=self._last_failure,
            last_failure_at=self._last_failure_at,
            started_at=None if cell is None else cell.started_at,
            children=children,
            detail=cell.actor.describe() if isinstance(cell, ActorCell) else {},
        )
