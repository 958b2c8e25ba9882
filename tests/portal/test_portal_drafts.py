"""Drafts by the API: sealed on their way in, and shown to who may see files."""

from __future__ import annotations

from dataclasses import replace

import httpx
import orjson
import pytest

from actors.protocol import DropDraft, SaveDraft
from cluster.revisions import StackDraft
from portal.api.app import create_api
from tests.portal.build import NOW, SHOP, bearer

pytestmark = pytest.mark.anyio

SOURCES = {
    "files": [{"name": "compose.yaml", "text": "services: {web: {image: 'web:${TAG}'}}"}],
    "variables": {"TAG": "2"},
    "roots": ["compose.yaml"],
    "profiles": [],
}
BODY = orjson.dumps({"spec": SHOP, "sources": SOURCES})


async def test_a_draft_is_saved_sealed_and_shown_as_it_was_written(api, node):
    answer = await api.put("/v1/stacks/shop/draft", content=BODY)
    assert answer.status_code == 200
    [saved] = node.commands()
    assert isinstance(saved, SaveDraft)
    assert (saved.spec, saved.origin.by, saved.origin.sources[:6]) == (SHOP, "admin's", "glass|")
    kept = StackDraft("shop", NOW, "admin's", SHOP, saved.origin.sources)
    node.state = replace(node.state, stack_drafts={"shop": kept})
    shown = (await api.get("/v1/stacks/shop/draft")).json()
    assert (shown["by"], shown["sources"]) == ("admin's", {**SOURCES, "variables": {"TAG": None}})
    assert (await api.get("/v1/stacks/shop/draft?values=1")).json()["sources"] == SOURCES
    await api.put("/v1/stacks/shop/draft", content=BODY)
    assert node.commands()[-1] == saved  # the same is sent as it is kept


async def test_a_draft_is_checked_as_a_deploy_is(api, node):
    elsewhere = await api.put("/v1/stacks/blog/draft", content=BODY)
    wrong = await api.put("/v1/stacks/shop/draft", content=orjson.dumps({"spec": replace(SHOP, services={})}))
    assert (elsewhere.status_code, wrong.status_code) == (422, 422)
    assert not node.commands()


async def test_one_that_says_what_keeps_it_from_being_deployed_is_kept_with_that_and_not_checked(api, node):
    wrong = {"spec": replace(SHOP, services={}), "refusals": ["secrets are not supported"], "replaces": NOW}
    assert (await api.put("/v1/stacks/shop/draft", content=orjson.dumps(wrong))).status_code == 200
    [saved] = node.commands()
    assert (saved.refusals, saved.replaces) == (("secrets are not supported",), NOW)
    kept = StackDraft("shop", NOW, "admin's", SHOP, refusals=saved.refusals)
    node.state = replace(node.state, stack_drafts={"shop": kept})
    assert (await api.get("/v1/stacks/shop/draft")).json()["refusals"] == ["secrets are not supported"]


async def test_a_viewer_sees_no_draft_and_saves_none(node):
    node.state = replace(node.state, stack_drafts={"shop": StackDraft("shop", NOW, "", SHOP)})
    transport = httpx.ASGITransport(create_api(node.backend()))
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer("viewer")) as client:
        assert (await client.get("/v1/stacks/shop/draft")).status_code == 403
        assert (await client.put("/v1/stacks/shop/draft", content=BODY)).status_code == 403
    transport = httpx.ASGITransport(create_api(node.backend()))
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer("operator")) as client:
        assert (await client.get("/v1/stacks/shop/draft")).json()["sources"] is None


async def test_a_draft_is_dropped_and_one_that_is_not_there_is_said(api, node):
    assert (await api.delete("/v1/stacks/shop/draft")).status_code == 200
    assert node.commands() == [DropDraft("shop")]
    missing = await api.get("/v1/stacks/shop/draft")
    assert (missing.status_code, missing.json()["detail"]) == (404, 'stack "shop" has no draft')
