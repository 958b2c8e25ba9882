"""What services and nodes see of the state, and what a service decides on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cluster.assignment import Assignment, Elsewhere
from cluster.model import Network, Service, Task
from cluster.reconcile import Reconciled
from cluster.spec import VolumeSpec
from supervisor.message import message


@message("service.view/1")
@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service and all of its tasks, as committed at `revision`.

    `emptied` names those of its machines that its tasks are to leave. `homes` are a global service's machines by slot.
    """

    revision: int
    service: Service
    tasks: tuple[Task, ...]
    emptied: tuple[str, ...] = ()
    homes: tuple[tuple[int, str], ...] = ()


@message("service.plan/1")
@dataclass(frozen=True, slots=True)
class Plan:
    """What a service's actor decided on the service as it knew it.

    All of it is dropped where another order was given since, and else the steps that no longer fit its tasks.
    """

    service: Service
    decided: Reconciled


@dataclass(frozen=True, slots=True)
class StackVolumes:
    """A stack's volumes by their keys in its file."""

    stack: str
    volumes: Mapping[str, VolumeSpec]


@message("node.view/1")
@dataclass(frozen=True, slots=True)
class NodeView:
    """What one machine must bring about, as committed at `revision`. See `Assign` for the fields."""

    revision: int
    epoch: int
    node: str
    assignments: tuple[Assignment, ...]
    networks: tuple[Network, ...]
    volumes: tuple[StackVolumes, ...]
    remove_volumes: tuple[str, ...]
    completed: tuple[str, ...]
    hold: bool
    elsewhere: tuple[Elsewhere, ...] = ()


@message("view.want/1")
@dataclass(frozen=True, slots=True)
class WantView:
    """From a new incarnation of a service's or node's actor to the dispatcher: show me my part of the state."""

    key: str
