"""What a stack said, by the API: who may see which part of it, and the way back."""

from __future__ import annotations

from dataclasses import replace

import httpx
import orjson
import pytest

from actors.protocol import DeployStack, PathsSeen, RollBack
from cluster.revisions import StackRevision
from cluster.spec import Mount
from portal.api.app import create_api
from tests.portal.build import NODE, NOW, SHOP, FakeNode, bearer, state

pytestmark = pytest.mark.anyio

TEXT = "services: {web: {image: 'web:${TAG}'}}  # the door"
SOURCES = {
    "files": [{"name": "compose.yaml", "text": TEXT}],
    "variables": {"TAG": "qualis-artifex"},
    "roots": ["compose.yaml"],
    "profiles": ["debug"],
}
EARLIER = replace(SHOP, volumes={})


async def sealed(api: httpx.AsyncClient, node: FakeNode) -> str:
    """What the door makes of the sources."""
    answer = await api.put("/v1/stacks/shop", content=orjson.dumps({"spec": SHOP, "sources": SOURCES}))
    assert answer.status_code == 200, answer.text
    command = node.commands()[-1]
    assert isinstance(command, DeployStack)
    return command.origin.sources


@pytest.fixture
async def kept(api: httpx.AsyncClient, node: FakeNode) -> str:
    text = await sealed(api, node)
    revisions = (
        StackRevision("shop", 3, NOW - 9, "ci", {"web": "created"}, EARLIER),
        StackRevision("shop", 4, NOW, "", {"web": "updated"}, SHOP, text),
    )
    node.state = replace(node.state, stack_revisions={one.key: one for one in revisions})
    node.asked.clear()
    return text


async def test_a_deploy_s_sources_reach_the_senate_sealed_with_the_name_of_whose_token_it_was(api, node):
    text = await sealed(api, node)
    [command] = node.commands()
    assert command.origin.by == "admin's"
    assert text.startswith("glass|sources of stack shop|")
    assert "artifex" not in repr(command)


async def test_the_same_sources_are_sent_as_they_are_kept(api, node, kept):
    assert await sealed(api, node) is kept


async def test_sources_that_cannot_be_kept_are_refused_by_the_server_too(api, node):
    sources = {"files": [{"name": "/etc/passwd", "text": ""}]}
    answer = await api.put("/v1/stacks/shop", content=orjson.dumps({"spec": SHOP, "sources": sources}))
    assert answer.status_code == 422
    assert "relative to the first file's folder" in answer.json()["detail"]
    assert not node.commands()


async def test_revisions_are_listed_newest_first_without_what_they_say(api, kept):
    answer = (await api.get("/v1/stacks/shop/revisions")).json()
    newest, earlier = answer["items"]
    assert newest == {
        "stack": "shop",
        "number": 4,
        "at": NOW,
        "by": "",
        "changes": {"web": "updated"},
        "services": 1,
        "sources": True,
        "newest": True,
        "of": None,
    }
    assert (earlier["number"], earlier["by"], earlier["sources"], earlier["newest"]) == (3, "ci", False, False)
    one = (await api.get("/v1/stacks/shop/revisions/3")).json()
    assert (one["number"], one["spec"]["volumes"]) == (3, {})


async def test_the_files_are_shown_as_they_were_and_values_where_they_are_asked_for(api, kept):
    shown = (await api.get("/v1/stacks/shop/revisions/4/sources")).json()
    assert shown == {**SOURCES, "variables": {"TAG": None}}
    with_values = (await api.get("/v1/stacks/shop/revisions/4/sources?values=1")).json()
    assert with_values == SOURCES
    without = await api.get("/v1/stacks/shop/revisions/3/sources")
    assert (without.status_code, without.json()["detail"]) == (404, "revision 3 of shop came without its files")


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("operator", 200), ("viewer", 403)])
async def test_a_viewer_sees_that_there_are_revisions_and_no_file(node, kept, role, status):
    transport = httpx.ASGITransport(create_api(node.backend()))
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer(role)) as client:
        assert (await client.get("/v1/stacks/shop/revisions")).status_code == 200
        assert (await client.get("/v1/stacks/shop/revisions/4/sources")).status_code == status


async def test_files_that_another_authority_sealed_are_a_sentence_and_not_a_deploy_s_end(api, node, kept):
    node.state = replace(
        node.state, stack_revisions={"shop@4": StackRevision("shop", 4, NOW, "", {}, SHOP, "lost|elsewhere|x")}
    )
    answer = await api.get("/v1/stacks/shop/revisions/4/sources")
    assert answer.status_code == 409
    assert "sealed by another key" in answer.json()["detail"]
    assert (await sealed(api, node)).startswith("glass|")


@pytest.mark.parametrize(
    ("query", "number", "newest"),
    [("", None, None), ("?revision=3", 3, None), ("?newest=4", None, 4), ("?newest=3", None, 3)],
)
async def test_the_way_back_is_the_senate_s_to_find(api, node, kept, query, number, newest):
    answer = await api.post(f"/v1/stacks/shop/rollback{query}", headers={"idempotency-key": "k-1"})
    assert answer.status_code == 200
    assert node.commands() == [RollBack("shop", number, newest, "admin's", "admin:k-1")]


async def test_the_way_back_is_kept_from_machines_that_lack_what_it_binds(api, node, kept):
    conf = Mount("bind", "/etc/app", "/srv/conf", create_host_path=False)
    binds = replace(EARLIER, services={"web": replace(EARLIER.services["web"], mounts=(conf,))})
    revisions = node.state.stack_revisions
    node.state = replace(node.state, stack_revisions={**revisions, "shop@3": replace(revisions["shop@3"], spec=binds)})
    node.of_nodes[NODE] = PathsSeen(("/srv/conf",))
    answer = await api.post("/v1/stacks/shop/rollback")
    assert answer.status_code == 409
    assert answer.json()["findings"][0]["message"] == "/srv/conf is not on rome"
    assert not node.commands()
    node.of_nodes.clear()
    answer = await api.post("/v1/stacks/shop/rollback")
    assert answer.json()["warnings"] == ["whether /srv/conf is on rome is not known: it does not answer"]


@pytest.mark.parametrize("path", ["/v1/stacks/shap/revisions", "/v1/stacks/shop/revisions/9"])
async def test_what_is_not_there_is_said(api, kept, path):
    answer = await api.get(path)
    assert answer.status_code == 404
    assert "shop" in answer.json()["detail"]


async def test_a_stack_without_a_revision_is_asked_for_its_list_all_the_same(api, node):
    node.state = state()
    assert (await api.get("/v1/stacks/shop/revisions")).json()["items"] == []


async def test_a_plan_is_worked_out_beside_the_senate_which_hears_nothing_of_it(api, node):
    body = orjson.dumps({"spec": EARLIER, "prune": True})
    planned = (await api.post("/v1/stacks/shop/plan", content=body)).json()
    assert (planned["stack"], planned["revision"], planned["changes"]) == ("shop", node.state.revision, False)
    assert planned["volumes"] == {"shop_data": "kept"}
    assert [(one["name"], one["change"]) for one in planned["services"]] == [("web", "unchanged")]
    assert not node.commands()


async def test_what_a_deploy_would_be_refused_for_is_the_plan_s_answer_too(api, node):
    wrong = replace(SHOP, services={"web": replace(SHOP.services["web"], replicas=99)})
    answer = await api.post("/v1/stacks/shop/plan", content=orjson.dumps({"spec": wrong}))
    assert answer.status_code == 422
    elsewhere = replace(SHOP, networks={"default": replace(SHOP.networks["default"], subnet="10.1.0.0/24")})
    node.state = replace(node.state, stacks={"shop": replace(node.state.stacks["shop"], removing=True)})
    answer = await api.post("/v1/stacks/shop/plan", content=orjson.dumps({"spec": elsewhere}))
    assert answer.status_code == 409
    assert "is still being removed" in answer.json()["detail"]
