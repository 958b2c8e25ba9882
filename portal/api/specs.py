"""What a request says of a stack, checked before anything is asked of the Senate."""

from __future__ import annotations

from dataclasses import asdict

from cluster.compose.checks import validate
from cluster.spec import StackSpec
from portal.api.problems import Problem


def check_spec(name: str, spec: StackSpec) -> None:
    """Raise Problem unless the spec is of the stack that the path names, and could be deployed."""
    if spec.name != name:
        raise Problem("invalid", f'the path names the stack "{name}" and the spec "{spec.name}"')
    findings = validate(spec)
    if findings:
        raise Problem("invalid", f'the spec of "{name}" cannot be run', findings=[asdict(found) for found in findings])
