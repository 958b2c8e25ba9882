"""What a request says of a stack, checked before anything is asked of the Senate."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict

from starlette.requests import Request

from cluster.compose.checks import validate
from cluster.decide.placeable import hopes
from cluster.headroom import cramped
from cluster.model import State
from cluster.spec import StackSpec
from portal.api.problems import Problem
from portal.api.requests import backend_of
from portal.binds import look


def check_name(name: str, spec: StackSpec) -> None:
    """Raise Problem unless the spec is of the stack that the path names."""
    if spec.name != name:
        raise Problem("invalid", f'the path names the stack "{name}" and the spec "{spec.name}"')


def check_spec(spec: StackSpec) -> None:
    """Raise Problem unless the spec could be deployed."""
    findings = validate(spec)
    if findings:
        raise Problem(
            "invalid", f'the spec of "{spec.name}" cannot be run', findings=[asdict(found) for found in findings]
        )


async def check_machines(
    request: Request, state: State, spec: StackSpec, sent: Collection[str] = ()
) -> tuple[str, ...]:
    """What to warn of the machines; raises Problem where a path that is bound is not wherever a task may go.

    `sent` are paths that are there where the spec came from.
    """
    judged = await look(backend_of(request), state, spec, sent)
    if judged.problems:
        findings = [asdict(problem.finding()) for problem in judged.problems]
        raise Problem("conflict", f'the stack "{spec.name}" binds what is not there', findings=findings)
    return (*judged.warnings, *hopes(state, spec), *cramped(state, spec))
