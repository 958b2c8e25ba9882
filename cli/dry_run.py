"""A deploy that is only asked for: what it would do to the cluster as it is now."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from cli.client import Client
from cli.deploy import Images, Terms, planned
from cli.lines import warn_at_lines
from cli.output import Output, show_list, show_value
from cli.table import Row, column
from cli.words import count
from cluster.compose.loader import Loaded

if TYPE_CHECKING:
    from portal.plan_rows import PlanShown, ServicePlanRow

COLUMNS = (
    column("KIND", "kind"),
    column("NAME", "name"),
    column("WOULD BE", "change"),
    column("DETAIL", "detail", flexible=True),
)


def say_good(loaded: Loaded) -> None:
    """Say that the files can be deployed, as far as they tell by themselves."""
    services = count(len(loaded.spec.services), "service")
    print(f"the file is good: stack {loaded.spec.name} with {services}; nothing was changed", file=sys.stderr)


def show_plan(client: Client, loaded: Loaded, images: Images, terms: Terms, output: Output) -> None:
    """Ask the manager what a deploy of these files would do now, and print it. Raises what the deploy would raise."""
    plan = planned(client, loaded, images, terms)
    warn_at_lines(plan, loaded)
    if not output.is_table:
        show_value(plan, output)
        return
    show_list(list(_rows(plan, loaded.aside)), COLUMNS, output)
    if not plan["changes"]:
        print(f"{plan['stack']}: nothing to change", file=sys.stderr)


def _rows(plan: PlanShown, aside: Collection[str]) -> Iterator[Row]:
    for service in plan["services"]:
        detail = "; ".join(_details(service, aside))
        yield {"kind": "service", "name": service["name"], "change": service["change"], "detail": detail}
    changes = {"network": plan["networks"], "volume": plan["volumes"], "config": plan["configs"]}
    for kind, known in changes.items():
        for name, change in known.items():
            yield {"kind": kind, "name": name, "change": change, "detail": ""}


def _details(service: ServicePlanRow, aside: Collection[str]) -> Iterator[str]:
    if service["fields"]:
        yield f"other than before: {', '.join(service['fields'])}"
    if service["machines"]:
        yield f"first on {', '.join(f'{name} ({number})' for name, number in service['machines'].items())}"
    if service["waits"]:
        yield str(service["waits"])
    if service["note"]:
        yield str(service["note"])
    if service["change"] == "kept":
        out = service["name"] in aside
        yield "left out by its profile; --profile takes it in" if out else "no longer in the file; --prune removes it"
