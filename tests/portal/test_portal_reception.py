"""Each request has an id that the caller and the log know, and those that change something are told of."""

import logging

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from actors.protocol import GetState
from portal.api.app import create_api
from portal.api.reception import Reception
from portal.api.requests import DEED
from supervisor.address import Address
from supervisor.errors import AskTimeout
from tests.portal.build import NODE, FakeNode, bearer, credential
from tests.portal.test_portal_telemetry import figures_of, get

pytestmark = pytest.mark.anyio

SCALE = "/v1/services/shop/web/scale"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "portal.api.reception")
    return lambda: [
        (record.levelname, record.getMessage().partition(" in ")[0], vars(record)["facts"]["caller"])
        for record in caplog.records
        if record.name == "portal.api.reception"
    ]


async def test_a_caller_s_id_comes_back_with_the_answer(api: httpx.AsyncClient):
    answer = await api.get("/v1/stacks", headers={"X-Request-Id": "deploy-7.a_B"})
    assert answer.headers["x-request-id"] == "deploy-7.a_B"


@pytest.mark.parametrize("given", [{}, {"X-Request-Id": ""}, {"X-Request-Id": "a b"}, {"X-Request-Id": "x" * 65}])
async def test_whoever_brings_none_that_is_fit_gets_a_new_one(api: httpx.AsyncClient, given: dict[str, str]):
    ids = {(await api.get("/v1/stacks", headers=given)).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(id) == 16 and id.isalnum() for id in ids)


async def test_a_refusal_names_the_request(api: httpx.AsyncClient):
    answer = await api.get("/v1/stacks/nothing", headers={"X-Request-Id": "r1"})
    assert (answer.status_code, answer.json()["request"]) == (404, "r1")
    answer = await api.get("/v1/stacks", headers={"X-Request-Id": "r2", "Authorization": "none"})
    assert (answer.status_code, answer.json()["request"], answer.headers["x-request-id"]) == (401, "r2", "r2")


async def test_what_was_not_foreseen_is_found_in_the_log_by_its_request(api, node, lines):
    node.replies[GetState] = lambda message: [][0]
    answer = await api.get("/v1/stacks", headers={"X-Request-Id": "r1"})
    assert (answer.status_code, answer.json()["request"], answer.headers["x-request-id"]) == (500, "r1", "r1")
    assert answer.json()["detail"].endswith("its log says why, of the request r1")


async def test_a_change_is_a_line_and_a_look_is_none(api: httpx.AsyncClient, lines):
    await api.get("/v1/stacks")
    await api.get("/v1/stacks/nothing")
    await api.post(SCALE, json={"replicas": 3})
    await api.post(SCALE, json={"replicas": "three"})
    await api.post(SCALE, json={"replicas": 3}, headers=bearer("viewer"))
    await api.post(SCALE, json={"replicas": 3}, headers={"Authorization": "none"})
    route = "POST /v1/services/{stack}/{service}/scale"
    assert lines() == [
        ("INFO", f"{route}: 200", "admin's"),
        ("INFO", f"{route}: 422", "admin's"),
        ("INFO", f"{route}: 403", "viewer's"),
        ("INFO", "POST none: 401", ""),
    ]


async def test_a_look_that_fails_is_a_warning(api: httpx.AsyncClient, node: FakeNode, lines):
    await api.get("/v1/stacks")
    node.replies[GetState] = AskTimeout(Address(NODE, "senate"), GetState())
    assert (await api.get("/v1/stacks")).status_code == 503
    assert lines() == [("WARNING", "GET /v1/stacks: 503", "admin's")]


async def test_who_comes_by_the_socket_is_root(node: FakeNode, lines):
    transport = httpx.ASGITransport(create_api(node.backend(), trusted=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as client:
        await client.post(SCALE, json={"replicas": 3})
    assert [caller for _, _, caller in lines()] == ["root"]


async def test_requests_are_counted_by_their_route_and_never_by_a_name(api: httpx.AsyncClient, node: FakeNode):
    await api.get("/v1/stacks/shop")
    await api.get("/v1/stacks/nothing")
    await api.get("/v1/stacks/shop", headers={"Authorization": "none"})
    await api.request("BREW", "/v1/tea")
    counted = {
        labels: number
        for (name, *labels), number in figures_of((await get(node, "/metrics")).text).items()
        if name == "gbnt_http_request_duration_seconds_count"
        for labels in [tuple(labels)]
    }
    assert counted == {
        ("GET", "/v1/stacks/{name}", "2xx"): 1,
        ("GET", "/v1/stacks/{name}", "4xx"): 1,
        ("GET", "none", "4xx"): 1,
        ("other", "none", "4xx"): 1,
    }


async def test_an_answer_counts_from_its_beginning_and_once(node: FakeNode, lines):
    async def slow(request):
        request.scope[DEED] = "a deed"
        return PlainTextResponse("x" * 100)

    async def broken(request):
        raise OSError("gone")

    app = Starlette(
        routes=[Route("/slow", slow, methods=["POST"]), Route("/broken", broken, methods=["POST"])],
        middleware=[Middleware(Reception, meters=node.meters)],
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as client:
        await client.post("/slow")
        await client.post("/broken")
    assert lines() == [("INFO", "POST /slow: 200", ""), ("WARNING", "POST /broken: 500", "")]


async def test_no_secret_is_in_any_line(api: httpx.AsyncClient, node: FakeNode, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    secret = "gbnt_op_verysecretverysecretverysecret"
    sign_in = {"username": "nero", "password": secret}
    await api.put(f"/v1/registries/{secret}", json=sign_in)
    await api.put("/v1/registries/registry.example", json=sign_in)
    await api.put("/v1/registries/registry.example", json={**sign_in, "password": "wrong", secret: secret})
    await api.post("/v1/tokens", json={"name": "ci", "role": "viewer", "secret": secret})
    await api.post(f"/v1/tokens?token={secret}", content=secret)
    await api.put(f"/v1/stacks/shop?key={secret}", json={"spec": {"name": secret}}, headers={"Idempotency-Key": secret})
    await api.get("/v1/stacks", headers={"Authorization": f"Bearer {secret}"})
    node.replies[GetState] = lambda message: [][0]
    await api.put(f"/v1/stacks/{secret}", json={"spec": secret})
    ours = [record for record in caplog.records if record.name != "httpx"]  # which is the caller here
    told = "\n".join(f"{record.getMessage()} {vars(record)} {record.exc_text}" for record in ours)
    assert "portal.api.reception" in told
    assert secret not in told
    assert credential("admin").secret not in told
