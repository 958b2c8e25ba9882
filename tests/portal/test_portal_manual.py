"""The API's pages on the public door, and which page may ask the API from a browser."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

import httpx
import pytest

from portal.api.app import create_api
from portal.manual import FILES, RELEASE
from portal.telemetry import create_telemetry
from tests.portal.build import bearer

pytestmark = pytest.mark.anyio

OURS = {"origin": "http://rome:4002"}
PREFLIGHT = {"access-control-request-method": "PUT", "access-control-request-headers": "authorization,if-match"}


@pytest.fixture
async def door(node):
    transport = httpx.ASGITransport(create_telemetry(node.backend(), 4400))
    async with httpx.AsyncClient(transport=transport, base_url="http://rome:4002") as client:
        yield client


@pytest.fixture
async def afar(node):
    transport = httpx.ASGITransport(create_api(node.backend(), manual_port=4002))
    async with httpx.AsyncClient(transport=transport, base_url="https://rome:4000") as client:
        yield client


async def test_the_description_says_where_the_api_is(door):
    answer = await door.get("/openapi.json")
    assert (answer.status_code, answer.json()["servers"]) == (200, [{"url": "https://rome:4400"}])
    assert "/v1/nodes" in answer.json()["paths"]


async def test_an_address_of_six_is_a_host(door):
    answer = await door.get("/openapi.json", headers={"host": "[fd00::1]:4002"})
    assert answer.json()["servers"] == [{"url": "https://[fd00::1]:4400"}]


@pytest.mark.parametrize("host", ["rome; script-src *", "rome/x", "", "a b"])
async def test_a_host_that_is_none_gets_into_no_policy(door, host):
    answer = await door.get("/docs", headers={"host": host})
    assert (answer.status_code, "content-security-policy" in answer.headers) == (400, False)


async def test_the_page_may_run_what_is_on_board_and_ask_the_api_alone(door):
    answer = await door.get("/docs")
    policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self' https://rome:4400"
    assert "http" not in answer.text


@pytest.mark.parametrize("name", FILES)
async def test_its_files_are_those_that_it_asks_for(door, name):
    answer = await door.get(f"/docs/{name}")
    assert (answer.status_code, answer.content) == (200, (files("swagger_ui_bundle") / RELEASE / name).read_bytes())
    assert FILES[name] == "sha384-" + base64.b64encode(hashlib.sha384(answer.content).digest()).decode()


async def test_what_starts_it_is_a_script(door):
    answer = await door.get("/docs/start.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "SwaggerUIBundle(" in answer.text


async def test_the_manual_may_ask_the_api(afar):
    first = await afar.options("/v1/stacks/shop", headers={**OURS, **PREFLIGHT})
    assert (first.status_code, first.headers["access-control-allow-origin"]) == (204, OURS["origin"])
    assert "If-Match" in first.headers["access-control-allow-headers"]
    then = await afar.get("/v1/cluster", headers={**OURS, **bearer("viewer")})
    assert (then.status_code, then.headers["access-control-allow-origin"]) == (200, OURS["origin"])
    assert "ETag" in then.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in then.headers


async def test_the_manual_is_told_why_it_may_not(afar):
    answer = await afar.get("/v1/cluster", headers=OURS)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, OURS["origin"])


@pytest.mark.parametrize(
    "origin", ["http://rome:4001", "https://rome:4002", "http://athens:4002", "http://rome:4002.evil.example", "null"]
)
async def test_no_other_page_may_ask(afar, origin):
    first = await afar.options("/v1/cluster", headers={"origin": origin, **PREFLIGHT})
    then = await afar.get("/v1/cluster", headers={"origin": origin, **bearer("viewer")})
    assert first.status_code == 401
    assert not [name for answer in (first, then) for name in answer.headers if name.startswith("access-control")]
