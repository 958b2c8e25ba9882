"""The API's own description: good OpenAPI, of every endpoint, and what the pages show fits it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import orjson
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from portal.api.app import ENDPOINTS
from portal.openapi import PARTS, document

API_PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
VERBS = ("get", "put", "post", "patch", "delete")


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """As a client has it."""
    return dict(orjson.loads(orjson.dumps(document("1.2.3"))))


def operations(described) -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for path in described["paths"].values() for one in path.values()}


def test_it_is_good_openapi(described):
    OpenAPIV31SpecValidator(described).validate()
    assert (described["openapi"], described["info"]["version"]) == ("3.1.0", "1.2.3")


def test_it_has_every_endpoint_once(described):
    assert sorted(operations(described)) == sorted(one.name for one in ENDPOINTS)


def test_it_has_every_type_once_under_a_plain_name(described):
    schemas = described["components"]["schemas"]
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", name) for name in schemas)
    assert set(re.findall(r'"#/components/schemas/(\w+)"', orjson.dumps(described).decode())) == set(schemas)


def test_it_says_of_each_part_of_a_path_what_it_is(described):
    parts = {part for one in ENDPOINTS for part in re.findall(r"{(\w+)", one.path)}
    assert parts == set(PARTS)


def test_it_says_who_may_ask(described):
    told = operations(described)
    assert (told["joining.join"]["security"], "security" in told["nodes.index"]) == ([], False)
    assert "For admins alone." in told["tokens.create"]["description"]
    assert ("403" in told["nodes.index"]["responses"], "403" in told["nodes.update"]["responses"]) == (False, True)


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("cluster.show", "200 400 401 429 431 503"),
        ("nodes.update", "200 400 401 403 404 409 412 413 422 429 431 503"),
        ("tokens.create", "201 400 401 403 409 413 422 429 431 503"),
        ("events.index", "200 400 401 410 422 429 431 503"),
        ("exec.run", "101 400 401 403 404 409 422 429 431 503"),
    ],
)
def test_it_says_which_answers_may_come(described, name, statuses):
    assert sorted(operations(described)[name]["responses"]) == statuses.split()


def test_it_says_what_streams_and_sockets_are(described):
    told = operations(described)
    assert list(told["stacks.progress"]["responses"]["200"]["content"]) == ["application/x-ndjson"]
    forms = ["application/json", "application/x-ndjson", "text/event-stream"]
    assert list(told["events.index"]["responses"]["200"]["content"]) == forms
    assert told["exec.run"]["x-websocket"]["first"] == {"$ref": "#/components/schemas/ExecSpec"}
    sockets = {one.name for one in ENDPOINTS if one.is_streamed or one.shape == "socket"}
    assert {name for name, one in told.items() if "x-websocket" in one} == sockets


def test_changes_take_the_headers_that_make_them_safe(described):
    told = operations(described)
    headers = {name: [one["name"] for one in op["parameters"] if one["in"] == "header"] for name, op in told.items()}
    assert headers["services.scale"] == ["Idempotency-Key", "If-Match"]
    assert headers["tokens.create"] == ["Idempotency-Key"]
    assert (headers["nodes.index"], headers["events.index"]) == ([], ["Last-Event-ID"])


@pytest.mark.anyio
async def test_the_api_serves_it(api):
    answer = await api.get("/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == orjson.loads(orjson.dumps(document("0.1.0")))


# -- what the pages show ---------------------------------------------------------------------------------------------


def objections(described, method: str, path: str, body: object) -> list[str]:
    """What a schema has against a body."""
    for template, operation in described["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method in operation:
            schema = operation[method]["requestBody"]["content"]["application/json"]["schema"]
            return _objections(described, schema, body)
    raise AssertionError(f"{method} {path} is no operation")


def _objections(described, schema: dict[str, Any], value: object) -> list[str]:
    judge = OAS31Validator({**schema, "components": described["components"]})
    return [error.message for error in judge.iter_errors(value)]


def test_the_bodies_that_the_page_sends_fit(described):
    api = MagicMock()
    api.get.return_value.json.return_value = {"replicas": 1, "spec": {"configs": {}}}
    known = {"api": api, "base64": base64, "print": lambda *_: None}
    for block in re.findall(r"```python\n(.*?)```", API_PAGE, re.DOTALL):
        if not re.search(r"\bhttpx\.|^from cli\.", block):
            exec(block, known)
    calls = [call for call in api.method_calls if call[0] in VERBS and "json" in call.kwargs]
    assert len(calls) >= 3
    assert [objections(described, call[0], call.args[0], call.kwargs["json"]) for call in calls] == [[]] * len(calls)


def test_the_keys_that_the_page_names_are_there(described):
    rows = re.findall(r"^\| `(\w+) (/v1/\S+?)(?: .*)?` \| (.*) \|$", API_PAGE, re.MULTILINE)
    wrong = {}
    for method, path, words in rows:
        operation = described["paths"][path][method.lower()]
        body = re.search(r"body `({.*?})`", words)
        if body is None:
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        known = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
        if lost := set(re.findall(r'[{,]\s*"(\w+)"', body[1])) - set(known):
            wrong[method, path] = lost
    assert wrong == {}


def test_the_first_message_of_a_command_fits(described):
    [block] = re.findall(r"```json\n(.*?)```", API_PAGE, re.DOTALL)
    first = operations(described)["exec.run"]["x-websocket"]["first"]
    assert _objections(described, first, orjson.loads(block)) == []


@pytest.mark.parametrize("body", [{}, {"replicas": "3"}, {"replicas": 3, "colour": "red"}])
def test_a_body_that_is_wrong_does_not_fit(described, body):
    assert objections(described, "post", "/v1/services/shop/web/scale", body) != []
