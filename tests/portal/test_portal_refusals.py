"""Bad requests: each is one problem document that says what is wrong, and changes nothing."""

from dataclasses import replace

import httpx
import orjson
import pytest

from actors.protocol import GetState
from cluster.decide.decision import Refusal
from cluster.decide.nodes import create_token
from cluster.model import Token
from cluster.spec import Dependency
from portal.api.app import create_api
from supervisor.address import Address
from supervisor.errors import AskTimeout
from tests.portal.build import NODE, SHOP, bearer

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/stacks/shpo", 'there is no stack "shpo"; did you mean "shop"?'),
        ("/v1/stacks/zzz", "`gbnt stack ls` shows what is there"),
        ("/v1/services/shop/wbe", 'did you mean "shop/web"?'),
        ("/v1/services/shop/zzz/logs", "there is no service"),
        ("/v1/tasks/shop-web-9", 'did you mean "shop-web-'),
        ("/v1/tasks/zzz/logs", "there is no task"),
        ("/v1/nodes/roma", 'there is no node "roma"; did you mean "rome"?'),
        ("/v1/tasks?node=gaul", 'there is no node "gaul"; `gbnt node ls` shows what is there'),
        ("/v1/actors/senat", "there is no actor"),
        ("/v1/nothing", "no such path"),
        ("/", "no such path"),
    ],
)
async def test_what_is_not_there_is_404_with_a_hint(api, path, words):
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [({}, "say what to change"), ({"labels": {"gpu": 1}}, "labels.gpu"), ({"avail": "drain"}, "does not know: avail")],
)
async def test_a_node_is_not_changed_by_a_wrong_body(api, node, body, words):
    answer = await api.patch("/v1/nodes/rome", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert words in answer.json()["detail"]
    assert node.commands() == []


def of_web(text: str) -> str:
    """A deploy of a service, with these keys beside its image."""
    return f'{{"spec": {{"name": "shop", "services": {{"web": {{"name": "web", "image": "a", {text}}}}}}}}}'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (of_web(f'"replicas": 1{"0" * 19}'), "services.web.replicas: the number does not fit"),
        (of_web('"user": "a\\u0000"'), "services.web.user: a text cannot have a NUL"),
        (of_web('"labels": {"\\u0000": ""}'), "services.web.labels: a text cannot have a NUL"),
        (of_web('"stop_grace_period": 1e400'), "the body is"),
        (of_web('"stop_grace_period": NaN'), "no JSON"),
        (of_web('"user": "\\ud800"'), "no JSON"),
        (b'{"spec": "\xff"}', "no JSON"),
        ("[" * 5_000, "no JSON"),
        (of_web('"name": "wbe"'), "cannot be run"),
    ],
)
async def test_what_nobody_could_keep_is_refused_at_its_place(api, node, text, words):
    answer = await api.put("/v1/stacks/shop", content=text)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert words in answer.json()["detail"]
    assert node.commands() == []


async def test_a_beginning_that_several_tasks_share_names_them(api):
    answer = await api.get("/v1/tasks/web")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "web1-aaaa, web2-aaaa" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("scale", {"replicas": "3"}, "replicas"),
        ("scale", {"replicas": 1.5}, "replicas"),
        ("scale", {}, "replicas"),
        ("scale", {"replicas": 3, "force": True}, "force"),
        ("scale", [], "the body is wrong"),
        ("update", {}, "needs an"),
        ("update", {"force": "yes"}, "force"),
    ],
)
async def test_a_wrong_body_names_the_key(api, node, path, body, words):
    answer = await api.post(f"/v1/services/shop/web/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert words in answer.json()["detail"]
    assert node.commands() == []


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"replicas": 1e999}', b'"' + b"[" * 10_000])
async def test_a_body_that_is_no_json_is_refused(api, node, body):
    answer = await api.post("/v1/services/shop/web/scale", content=body)
    assert answer.status_code == 422
    assert node.commands() == []


async def test_a_spec_of_another_shape_names_the_place(api, node):
    document = orjson.loads(orjson.dumps({"spec": SHOP}))
    document["spec"]["services"]["web"]["ports"][0]["target"] = "eighty"
    answer = await api.put("/v1/stacks/shop", json=document)
    assert answer.status_code == 422
    assert "spec.services.web.ports.0.target" in answer.json()["detail"]
    assert node.commands() == []


async def test_a_key_of_a_newer_client_is_refused_rather_than_left_out(api, node):
    document = orjson.loads(orjson.dumps({"spec": SHOP}))
    document["spec"]["services"]["web"]["ports"][0]["quantum"] = True
    answer = await api.put("/v1/stacks/shop", json=document)
    assert answer.status_code == 422
    assert "spec.services.web.ports.0.quantum" in answer.json()["detail"]
    assert node.commands() == []


async def test_a_spec_that_cannot_be_run_tells_every_place(api, node):
    web = replace(SHOP.services["web"], replicas=-1, depends_on=(Dependency("db"),))
    answer = await api.put("/v1/stacks/shop", content=orjson.dumps({"spec": replace(SHOP, services={"web": web})}))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    places = [finding["path"] for finding in answer.json()["findings"]]
    assert any("depends_on" in place for place in places)
    assert any("replicas" in place for place in places)
    assert node.commands() == []


async def test_a_spec_under_another_name_is_refused(api, node):
    answer = await api.put("/v1/stacks/other", content=orjson.dumps({"spec": SHOP}))
    assert answer.status_code == 422
    assert node.commands() == []


async def test_a_body_of_40_mib_is_refused(api, node):
    async def body():
        for _ in range(40):
            yield b" " * (1 << 20)

    answer = await api.put("/v1/stacks/shop", content=body())
    assert (answer.status_code, answer.json()["code"]) == (413, "invalid")
    assert node.commands() == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events?after=-1",
        "/v1/events?limit=x",
        "/v1/events?limit=1.5",
        "/v1/events?after=nan",
        "/v1/events?after=inf",
        "/v1/services/shop/web/logs?tail=-3",
        "/v1/services/shop/web/logs?since=yesterday",
        "/v1/services/shop/web/logs?follow=1&previous=1",
        "/v1/stacks/shop/progress?after=soon",
    ],
)
async def test_a_wrong_parameter_is_named(api, path):
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/tokens", {"name": "", "role": "admin"}),
        ("POST", "/v1/tokens", {"name": "x", "role": "emperor"}),
        ("POST", "/v1/tokens", {"name": "x", "role": "admin", "ttl": 0}),
        ("POST", "/v1/tokens", {"name": "x", "role": "admin", "ttl": -5}),
        ("POST", "/v1/builds", None),
    ],
)
async def test_other_bad_requests_are_invalid(api, node, method, path, body):
    answer = await api.request(method, path, json=body)
    assert answer.status_code == 422
    assert node.commands() == []


@pytest.mark.parametrize("key", ["x" * 201, "tab\there"])
async def test_an_idempotency_key_is_short_and_printable(api, node, key):
    answer = await api.post("/v1/stacks/shop/stop", headers={"idempotency-key": key})
    assert answer.status_code == 422
    assert node.commands() == []


async def test_another_method_is_405(api):
    answer = await api.patch("/v1/stacks/shop")
    assert (answer.status_code, answer.json()["code"]) == (405, "invalid")
    assert "GET" in answer.headers["allow"]


async def test_a_senate_that_does_not_answer_is_503(api, node):
    await api.get("/v1/cluster")
    node.replies[GetState] = AskTimeout(Address(NODE, "senate"), GetState())
    answer = await api.get("/v1/stacks")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_a_fault_of_ours_is_told_without_its_insides(node, caplog):
    node.replies[GetState] = lambda message: "not a state"
    transport = httpx.ASGITransport(create_api(node.backend(), trusted=True), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer("admin")) as client:
        answer = await client.get("/v1/stacks")
    assert (answer.status_code, answer.json()["code"]) == (500, "unavailable")
    assert "str" not in answer.json()["detail"]
    assert "expected State for an answer, got str" in caplog.text


MONSTROUS = ("1" + "0" * 30, "-9223372036854775809", "9223372036854775808", "1e400", "NaN", "-Infinity")
NO_JSON = ("1e400", "NaN", "-Infinity")


@pytest.mark.parametrize("number", MONSTROUS)
@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("resources.memory", '"resources": {"memory": %s}'),
        ("healthcheck.retries", '"healthcheck": {"retries": %s}'),
        ("update.parallelism", '"update": {"parallelism": %s}'),
        ("restart.max_attempts", '"restart": {"max_attempts": %s}'),
        ("mounts.0.tmpfs_size", '"mounts": [{"type": "tmpfs", "target": "/t", "tmpfs_size": %s}]'),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("POST", "/plan"), ("PUT", "/draft")])
async def test_a_number_that_the_records_cannot_hold_is_refused_at_its_place(
    api, node, method, path, place, part, number
):
    service = '{"name": "web", "image": "web:1", ' + part % number + "}"
    body = '{"spec": {"name": "shop", "services": {"web": ' + service + "}}}"
    answer = await api.request(method, f"/v1/stacks/shop{path}", content=body.encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    told = "the body is no JSON" if number in NO_JSON else f"spec.services.web.{place}"
    assert told in answer.json()["detail"]
    assert node.commands() == []


async def test_the_greatest_numbers_are_taken(api, node):
    service = {"name": "web", "image": "web:1", "restart": {"max_attempts": 2**63 - 1}}
    answer = await api.put("/v1/stacks/shop", json={"spec": {"name": "shop", "services": {"web": service}}})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", ["", "a" * 64, "ci\nroot", "ci\x1b[2J", "root", "CI", "-ci", "zwei wörter"])
async def test_a_token_is_called_as_a_user_may_be(api, node, name):
    answer = await api.post("/v1/tokens", json={"name": name, "role": "viewer"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "name" in answer.json()["detail"]
    assert node.commands() == []
    decided = create_token(node.state, Token("t", name, "viewer", "hash", 0.0))
    assert (isinstance(decided, Refusal), getattr(decided, "code", "")) == (True, "invalid")


@pytest.mark.parametrize("path", ["/v1/stacks", "/v1/tokens", "/v1/users"])
async def test_rows_without_labels_are_not_selected_by_them(api, path):
    answer = await api.get(path, params={"selector": "tier=web"})
    assert (answer.status_code, "no labels" in answer.json()["detail"]) == (422, True)
    assert (await api.get("/v1/services", params={"selector": "tier=web"})).status_code == 200
