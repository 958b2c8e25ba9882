"""Columns and filters that go by a field's name go by one that there is: mypy knows those of functions alone."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from portal.api.app import ENDPOINTS

CLI = Path(__file__).parents[2] / "cli"
KEYS = {"column": 1, "is_": 0, "has": 0, "begins": 0}
"""The functions that take a field's name, and which argument it is."""

MODULES = ("portal.load_rows", "portal.provision_rows", *sorted({one.do.__module__ for one in ENDPOINTS}))


def kind_of(annotation: ast.expr | None) -> str:
    """The rows that columns or filters are of."""
    found = re.search(r"\b(?:Column|Filter)\[(\w+)\]", ast.unparse(annotation)) if annotation else None
    return found[1] if found else ""


def keys(path: Path) -> Iterator[tuple[str, str]]:
    """The fields that a module names, each with the type of rows that it is said to be of."""
    for statement in ast.walk(ast.parse(path.read_text())):
        match statement:
            case ast.AnnAssign(annotation=annotation) | ast.FunctionDef(returns=annotation):
                kind = kind_of(annotation)
            case _:
                continue
        for call in ast.walk(statement) if kind else ():
            match call:
                case ast.Call(func=ast.Name(id=name), args=args) if name in KEYS:
                    yield kind, str(ast.literal_eval(args[KEYS[name]]))


def fields(kind: str) -> set[str]:
    found = next((vars(sys.modules[name])[kind] for name in MODULES if kind in vars(sys.modules[name])), None)
    assert found is not None, f"{kind} is no row of the API"
    return set(get_type_hints(found))


NAMED = sorted({one for path in CLI.rglob("*.py") for one in keys(path) if one[0] not in ("Row", "R")})


def test_the_lists_are_looked_at():
    kinds = {kind for kind, _ in NAMED}
    assert {"NodeRow", "ServiceRow", "StackRow", "TaskRow", "VolumeRow"} <= kinds
    assert len(NAMED) > 80


@pytest.mark.parametrize(("kind", "key"), NAMED)
def test_a_field_that_is_named_is_there(kind: str, key: str):
    assert key in fields(kind)
