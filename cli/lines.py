"""What a manager says of a spec, told at the lines of the files where that was written."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.compose_file import undeployable
from cli.errors import CliError
from cluster.compose.findings import Finding
from cluster.compose.loader import Loaded
from cluster.compose.report import finding_at

if TYPE_CHECKING:
    from portal.plan_rows import PlanShown
    from portal.shapes import Changed


@contextmanager
def at_its_lines(loaded: Loaded) -> Iterator[None]:
    """Tell what a manager finds wrong with a spec at the lines where that was written, if all of these are known."""
    try:
        yield
    except CliError as error:
        told = [_told(finding, loaded) for finding in error.findings]
        placed = [finding for finding in told if finding is not None]
        if not placed or len(placed) < len(told):
            raise
        raise type(error)(undeployable(loaded, placed)) from error


def warnings_of(answer: Changed | PlanShown, loaded: Loaded) -> list[str]:
    """What a manager warns of in its answer to a deploy or a plan, at its lines where it names a part of the spec."""
    return [_placed(str(warning), loaded) for warning in answer.get("warnings") or ()]


def warn_at_lines(answer: Changed | PlanShown, loaded: Loaded) -> None:
    """Print that."""
    for warning in warnings_of(answer, loaded):
        print(warning, file=sys.stderr)


def _told(finding: Mapping[str, object], loaded: Loaded) -> Finding | None:
    path, message, hint = (str(finding.get(key) or "") for key in ("path", "message", "hint"))
    place = loaded.place(path)
    return None if place is None else finding_at(place, (path,), message, hint)


def _placed(warning: str, loaded: Loaded) -> str:
    path, _, message = warning.partition(": ")
    place = loaded.place(path)
    return f"warning: {warning}" if place is None else finding_at(place, (path,), message, severity="warning").render()
