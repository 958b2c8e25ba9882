"""What the API asks of the Senate, and how it passes on what became of that."""

from dataclasses import replace

import httpx
import orjson
import pytest

from actors.protocol import (
    Accepted,
    ConfirmLoss,
    CreateSnapshot,
    CreateToken,
    DeployStack,
    HoldService,
    HoldStack,
    ListSnapshots,
    Refused,
    ReleaseHeld,
    RemoveNode,
    RemoveService,
    RemoveStack,
    RevokeToken,
    ScaleService,
    SnapshotList,
    SnapshotMade,
    StopTask,
    UpdateLegion,
    UpdateNode,
    UpdateService,
)
from cluster.compose.problem import Problem
from cluster.privileges import DeviceRequest, Privileges
from cluster.sources import Origin
from portal.api.app import create_api
from portal.credentials import is_valid, parse
from supervisor.address import Address
from supervisor.errors import AskTimeout, MailboxFull
from tests.portal.build import NODE, NOW, SHOP, WEB, bearer, state, token

pytestmark = pytest.mark.anyio

KEY = {"idempotency-key": "k-1"}
ADMIN = Origin("admin's")


async def test_a_deploy_hands_the_spec_on_as_it_was_meant(api, node):
    answer = await api.put("/v1/stacks/shop", content=orjson.dumps({"spec": SHOP}), headers=KEY)
    assert answer.status_code == 200
    assert answer.json() == {"revision": 8, "changes": {"web": "created"}, "detail": {}, "warnings": []}
    assert node.commands() == [DeployStack(SHOP, request="admin:k-1", origin=ADMIN)]


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/stacks/shop"), ("POST", "/v1/stacks/shop/plan")])
async def test_gpus_of_an_unknown_number_are_a_warning_of_a_deploy_and_of_its_plan(api, node, method, path):
    there = state()
    node.state = replace(there, nodes={NODE: replace(there.nodes[NODE], gpu_runtime="nvidia", cpus=4, memory=8 << 30)})
    gpu = Privileges(requests=(DeviceRequest("nvidia", 1, capabilities=("gpu",)),))
    body = orjson.dumps({"spec": replace(SHOP, services={"web": replace(WEB, privileges=gpu)})})
    answer = await api.request(method, path, content=body)
    assert answer.status_code == 200
    [warning] = answer.json()["warnings"]
    assert warning.startswith("service web asks for GPUs, and how many rome has is not known")


async def test_a_deploy_that_prunes_says_so_to_the_senate(api, node):
    body = orjson.dumps({"spec": SHOP, "prune": True, "aside": ["debug"]})
    answer = await api.put("/v1/stacks/shop", content=body, headers=KEY)
    assert answer.status_code == 200
    assert node.commands() == [DeployStack(SHOP, request="admin:k-1", prune=True, origin=ADMIN, aside=("debug",))]


@pytest.mark.parametrize(
    ("method", "path", "body", "command", "status"),
    [
        ("DELETE", "/v1/stacks/shop", None, RemoveStack("shop", (), "admin:k-1"), 202),
        ("DELETE", "/v1/stacks/shop?volumes=a,b", None, RemoveStack("shop", ("a", "b"), "admin:k-1"), 202),
        ("POST", "/v1/stacks/shop/stop", None, HoldStack("shop", True, "admin:k-1"), 200),
        ("POST", "/v1/stacks/shop/start", {}, HoldStack("shop", False, "admin:k-1"), 200),
        ("POST", "/v1/services/shop/web/scale", {"replicas": 5}, ScaleService("shop/web", 5, "admin:k-1"), 200),
        (
            "POST",
            "/v1/services/shop/web/update",
            {"image": "web:2", "force": False},
            UpdateService("shop/web", "web:2", request="admin:k-1"),
            200,
        ),
        (
            "POST",
            "/v1/services/shop/web/restart",
            None,
            UpdateService("shop/web", force=True, request="admin:k-1"),
            200,
        ),
        ("POST", "/v1/services/shop/web/stop", None, HoldService("shop/web", True, "admin:k-1"), 200),
        ("POST", "/v1/services/shop/web/start", None, HoldService("shop/web", False, "admin:k-1"), 200),
        ("DELETE", "/v1/services/shop/web", None, RemoveService("shop/web", "admin:k-1"), 200),
        ("DELETE", "/v1/tasks/shop-web-1", None, StopTask("shop-web-1", "admin:k-1"), 200),
        ("DELETE", "/v1/tokens/viewer", None, RevokeToken("viewer", "admin:k-1"), 200),
        (
            "PATCH",
            "/v1/nodes/rome",
            {"availability": "drain", "labels": {"gpu": "nvidia", "disk": None}},
            UpdateNode("rome", "drain", {"gpu": "nvidia"}, ("disk",), request="admin:k-1"),
            200,
        ),
        ("PATCH", "/v1/nodes/rome", {"role": "manager"}, UpdateNode("rome", role="manager", request="admin:k-1"), 200),
        ("DELETE", "/v1/nodes/rome", None, RemoveNode("rome", False, "admin:k-1"), 200),
        ("DELETE", "/v1/nodes/rome?force=1", None, RemoveNode("rome", True, "admin:k-1"), 200),
        ("PATCH", "/v1/cluster", {"pause_above": 80}, UpdateLegion(80, None, "admin:k-1"), 200),
        ("POST", "/v1/cluster/confirm-loss", None, ConfirmLoss("admin:k-1"), 200),
        ("POST", "/v1/snapshots/release-held", None, ReleaseHeld("admin:k-1"), 200),
    ],
)
async def test_each_write_is_one_command_under_the_caller_s_key(api, node, method, path, body, command, status):
    answer = await api.request(method, path, json=body, headers=KEY)
    assert answer.status_code == status
    assert answer.json()["revision"] == 8
    assert node.commands() == [command]


async def test_a_key_is_its_caller_s_own(node):
    for trusted, headers in ((False, bearer("operator")), (False, bearer("admin")), (True, {})):
        transport = httpx.ASGITransport(create_api(node.backend(), trusted=trusted))
        async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=headers) as client:
            await client.post("/v1/stacks/shop/stop", headers=KEY)
            await client.post("/v1/stacks/shop/stop")
    assert [command.request for command in node.commands()] == ["operator:k-1", "", "admin:k-1", "", ":k-1", ""]


@pytest.mark.parametrize(
    ("code", "status"),
    [("not_found", 404), ("conflict", 409), ("invalid", 422), ("unavailable", 503), ("unknown", 503)],
)
async def test_a_refusal_keeps_its_code_and_its_words(api, node, code, status):
    node.replies[ScaleService] = Refused(code, "because")
    answer = await api.post("/v1/services/shop/web/scale", json={"replicas": 1})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["detail"]) == (status, code, "because")
    assert problem["type"] == "about:blank"
    assert problem["title"]


async def test_a_refusal_names_the_parts_of_the_spec_that_it_is_about(api, node):
    part = Problem(("services", "web", "ports", 0), "publishes port 80", "choose another")
    node.replies[DeployStack] = Refused("conflict", "service web publishes port 80: choose another", (part,))
    answer = await api.put("/v1/stacks/shop", content=orjson.dumps({"spec": SHOP}))
    [finding] = answer.json()["findings"]
    assert (finding["path"], finding["message"], finding["hint"]) == (
        "services.web.ports[0]",
        "publishes port 80",
        "choose another",
    )


async def test_a_write_without_an_answer_may_have_been_made(api, node):
    node.replies[HoldStack] = AskTimeout(Address(NODE, "senate"), HoldStack("shop", True))
    answer = await api.post("/v1/stacks/shop/stop")
    assert (answer.status_code, answer.json()["code"]) == (503, "unknown")
    assert "same Idempotency-Key" in answer.json()["detail"]


async def test_a_write_that_never_arrived_was_not_made(api, node):
    node.replies[HoldStack] = MailboxFull(Address(NODE, "senate"), 1000)
    answer = await api.post("/v1/stacks/shop/stop")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_a_token_s_secret_is_shown_once_and_only_its_hash_is_kept(api, node):
    node.replies[CreateToken] = lambda message: Accepted(8, {message.id: "created"})
    answer = await api.post("/v1/tokens", json={"name": "ci", "role": "operator", "ttl": 60}, headers=KEY)
    assert answer.status_code == 201
    made, [command] = answer.json(), node.commands()
    assert (made["name"], made["role"], made["created_at"], made["expires_at"]) == ("ci", "operator", NOW, NOW + 60)
    credential = parse(made["token"])
    assert credential is not None
    assert credential.id == made["id"] == command.id
    assert command.request == "admin:k-1"
    assert credential.secret not in repr(command)
    assert is_valid(credential, token("x", hash=command.hash), NOW)


async def test_a_token_without_a_ttl_never_expires(api, node):
    node.replies[CreateToken] = lambda message: Accepted(8, {message.id: "created"})
    answer = await api.post("/v1/tokens", json={"name": "ci", "role": "viewer", "ttl": None})
    assert answer.json()["expires_at"] == 0


async def test_a_token_whose_request_was_answered_before_has_no_secret_to_show(api, node):
    node.replies[CreateToken] = Accepted(8, {"0a0b0c0d": "created"})
    answer = await api.post("/v1/tokens", json={"name": "ci", "role": "viewer"}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "`gbnt token rm 0a0b0c0d` and make another" in answer.json()["detail"]


async def test_a_token_that_may_have_been_made_is_named(api, node):
    node.replies[CreateToken] = AskTimeout(Address(NODE, "senate"), None)
    answer = await api.post("/v1/tokens", json={"name": "ci", "role": "admin"}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (503, "unknown")
    [command] = node.commands()
    assert f"`gbnt token rm {command.id}`" in answer.json()["detail"]


async def test_tokens_are_listed_without_their_hashes(api):
    items = (await api.get("/v1/tokens")).json()["items"]
    assert [row["role"] for row in items] == ["admin", "operator", "viewer"]
    assert set(items[0]) == {"id", "name", "role", "user", "created_at", "expires_at", "used_at"}


async def test_snapshots_are_made_and_listed_by_their_own_actor(api, node):
    made = SnapshotMade("s-1", 4096, 7, NOW)
    node.replies |= {CreateSnapshot: made, ListSnapshots: SnapshotList((made,))}
    row = {"name": "s-1", "size": 4096, "revision": 7, "created_at": NOW}
    answer = await api.post("/v1/snapshots")
    assert (answer.status_code, answer.json()) == (201, row)
    assert (await api.get("/v1/snapshots")).json()["items"] == [row]
    assert [path for path, message in node.asked if message in node.commands()] == ["snapshots", "snapshots"]


async def test_a_snapshot_that_cannot_be_made_says_why(api, node):
    node.replies[CreateSnapshot] = Refused("unavailable", "no space is left on the disk")
    answer = await api.post("/v1/snapshots")
    assert (answer.status_code, answer.json()["detail"]) == (503, "no space is left on the disk")
