"""What a deploy would do, as the object that the API answers with. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import with_config
from typing_extensions import TypedDict

from cluster.decide.planning import Plan, ServicePlan


@with_config(extra="forbid")
class ServicePlanRow(TypedDict):
    """What would become of a service.

    `change` is the word that a deploy would say of it, `fields` the keys that are otherwise, without their values.
    `machines` counts the tasks that would be made by the name of their machine, and `waits` says why there is none for
    another. `note` is what is not known before.
    """

    name: str
    change: str
    fields: Sequence[str]
    machines: Mapping[str, int]
    waits: str
    note: str


class PlanShown(TypedDict):
    """What a deploy would do at one revision of the state; of networks, volumes and configs the word by their name."""

    stack: str
    revision: int
    services: Sequence[ServicePlanRow]
    networks: Mapping[str, str]
    volumes: Mapping[str, str]
    configs: Mapping[str, str]
    changes: bool
    warnings: Sequence[str]


def plan_row(planned: Plan, warnings: Sequence[str]) -> PlanShown:
    """What a deploy would do, and what it would warn of."""
    return {
        "stack": planned.stack,
        "revision": planned.revision,
        "services": list(map(_service_plan_row, planned.services)),
        "networks": dict(planned.networks),
        "volumes": dict(planned.volumes),
        "configs": dict(planned.configs),
        "changes": planned.changes,
        "warnings": warnings,
    }


def _service_plan_row(planned: ServicePlan) -> ServicePlanRow:
    return {
        "name": planned.name,
        "change": planned.change,
        "fields": planned.fields,
        "machines": dict(planned.machines),
        "waits": planned.waits,
        "note": planned.note,
    }
