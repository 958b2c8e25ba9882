"""The typed client: it can ask all that the API answers, and says of each answer what it is."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from cli.client import Client
from portal.api.app import ENDPOINTS
from portal.api.endpoint import Endpoint
from tests.cli.manager import Answer, Lines, Manager, listing
from tests.cli.rows import node, task, tasks_line, verdict

API_PAGE = Path(__file__).parents[2] / "docs" / "api.md"

APART = {
    "exec.run": "words go both ways, over a WebSocket: cli/exec.py",
    "joining.join": "a machine's, by a join token: transport/identity/joining.py",
    "joining.renew": "a node's, by its certificate: transport/identity/joining.py",
    "leaving.leave": "a node's, by its certificate: transport/identity/joining.py",
    "knocking.knock": "a machine's, by a join token or its certificate: transport/identity/joining.py",
    "openapi.show": "describes the others, for programs that have no client",
}
"""Endpoints that are asked in another way, and which."""

ASK_NOTHING = {"service_key"}
"""Methods that are made of others."""

KINDS = {"get": "one", "write": "one", "items": "list", "lines": "lines"}
TYPES = {
    name: one.answer
    for one in ENDPOINTS
    for name, value in vars(sys.modules[one.do.__module__]).items()
    if value is one.answer
}
"""What endpoints answer with, by the names that their modules give it."""


class Recorder:
    """A session that answers nothing, and remembers what was asked: its own method's name, and the API's."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def get(self, path: str, params: object = None) -> None:
        self.asked.append(("get", "GET", path))

    def items(self, path: str, params: object = None) -> list[Any]:
        self.asked.append(("items", "GET", path))
        return []

    def write(self, method: str, path: str, body: object = None, params: object = None) -> None:
        self.asked.append(("write", method, path))

    def lines(self, method: str, path: str, *rest: object, **more: object) -> Iterator[Any]:
        self.asked.append(("lines", method, path))
        return iter(())


def methods() -> list[str]:
    known = [name for name, _ in inspect.getmembers(Client, inspect.isfunction) if name[0] != "_"]
    return [name for name in known if name not in ASK_NOTHING]


def asked_by(name: str) -> list[tuple[str, str, str]]:
    """All that a method asks, with each word that it takes where it takes one of several."""
    recorder = Recorder()
    method = getattr(Client(recorder), name)  # type: ignore[arg-type]
    given = {one.name: _values(one) for one in inspect.signature(method).parameters.values()}
    for values in product(*given.values()):
        method(**dict(zip(given, values, strict=True)))
    return recorder.asked


def _values(parameter: inspect.Parameter) -> tuple[str, ...]:
    if words := re.fullmatch(r"Literal\[(.*)\]", str(parameter.annotation)):
        return tuple(ast.literal_eval(f"[{words[1]}]"))
    return ("shop/web",) if parameter.name == "key" else ("x",)


def endpoint_of(method: str, path: str) -> Endpoint:
    found = [one for one in ENDPOINTS if one.method == method and re.fullmatch(_pattern(one.path), path)]
    assert len(found) == 1, (method, path)
    return found[0]


def _pattern(path: str) -> str:
    return re.sub(r"{\w+}", "[^/]+", re.sub(r"{\w+:path}", ".+", path))


def returned(name: str) -> object:
    """What a method says that it returns."""
    return eval(getattr(Client, name).__annotations__["return"], {**TYPES, "Iterator": Iterator})


def _shaped(shape: str, answer: Any) -> object:
    around: dict[str, Any] = {"list": list, "lines": Iterator}
    return around[shape][answer] if shape in around else answer


def test_every_endpoint_has_a_method_of_the_client():
    known = {endpoint_of(*asked[1:]).name for name in methods() for asked in asked_by(name)}
    assert {one.name for one in ENDPOINTS} - known == set(APART)


@pytest.mark.parametrize("name", methods())
def test_a_method_returns_what_its_endpoint_answers_with(name: str):
    asked = asked_by(name)
    assert asked
    for how, method, path in asked:
        endpoint = endpoint_of(method, path)
        shape = KINDS[how]
        assert shape == endpoint.shape or (endpoint.shape == "feed" and shape != "one")
        assert returned(name) == _shaped(shape, endpoint.answer)


def test_the_program_of_the_page_lists_changes_and_follows(manager: Manager, capsys: pytest.CaptureFixture[str]):
    [program] = re.findall(r"```python\n(from cli\..*?)```", API_PAGE.read_text(), re.DOTALL)
    manager.on("GET /v1/nodes", listing(node("gaul"), node("iberia", status="down")))
    manager.on(
        "POST /v1/services/shop/web/scale", Answer({"revision": 8, "changes": {"shop/web": "scaled from 1 to 3"}})
    )
    manager.on("GET /v1/stacks/shop/progress", Lines(tasks_line(task()), verdict("converged", "all tasks run")))
    exec(program, {})
    assert capsys.readouterr().out.splitlines() == [
        "gaul ready 0",
        "iberia down 0",
        "shop/web: scaled from 1 to 3",
        "converged all tasks run",
    ]
    assert [asked.query for asked in manager.asked if asked.path == "/v1/stacks/shop/progress"] == [{"after": "8"}]
