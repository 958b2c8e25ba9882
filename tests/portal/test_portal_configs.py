"""`/v1/configs`: what stacks brought, who reads it, and that a viewer sees no content."""

from dataclasses import replace

import httpx
import pytest

from actors.protocol import RemoveConfig
from cluster.configs import ConfigFile, ConfigSpec, digest_of, encoded
from cluster.model import Config, Service
from portal.api.app import create_api
from tests.portal.build import NOW, SHOP, WEB, bearer, state

pytestmark = pytest.mark.anyio

DIGEST = digest_of(b"salve")
ROW = {
    "name": "shop_app",
    "stack": "shop",
    "key": "app",
    "size": 5,
    "digest": DIGEST,
    "labels": {"team": "cooks"},
    "services": ["shop/web"],
    "updated_at": NOW - 60,
}


@pytest.fixture(autouse=True)
def reads(node) -> None:
    """The shop's web reads a config of the shop."""
    app = ConfigSpec("shop_app", digest=DIGEST, size=5, labels={"team": "cooks"})
    web = replace(WEB, configs=(ConfigFile("app", "/etc/app.conf", digest=DIGEST),))
    known = state()
    shop = replace(known.stacks["shop"], spec=replace(SHOP, services={"web": web}, configs={"app": app}))
    service = Service("shop", "web", web, web.revision(), 2, NOW - 60, NOW - 60)
    content = {DIGEST: Config(DIGEST, encoded(b"salve"))}
    node.state = replace(known, stacks={"shop": shop}, services={"shop/web": service}, configs=content)


async def test_configs_are_listed_without_their_contents(api):
    assert (await api.get("/v1/configs")).json()["items"] == [ROW]
    assert (await api.get("/v1/configs?stack=wiki")).json()["items"] == []


async def test_one_config_has_its_content(api):
    assert (await api.get("/v1/configs/shop_app")).json() == {**ROW, "content": encoded(b"salve")}
    missing = await api.get("/v1/configs/shop_ap")
    assert (missing.status_code, 'did you mean "shop_app"?' in missing.json()["detail"]) == (404, True)


async def test_a_viewer_sees_that_there_is_a_config_and_not_what_is_in_it(node):
    transport = httpx.ASGITransport(create_api(node.backend()))
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer("viewer")) as viewer:
        assert (await viewer.get("/v1/configs")).status_code == 200
        assert (await viewer.get("/v1/configs/shop_app")).status_code == 403
        assert (await viewer.delete("/v1/configs/shop_app")).status_code == 403
        operator = await viewer.get("/v1/configs/shop_app", headers=bearer("operator"))
        assert operator.status_code == 200


async def test_a_removal_is_one_command_under_the_caller_s_key(api, node):
    answer = await api.delete("/v1/configs/shop_app", headers={"Idempotency-Key": "k-1"})
    assert answer.status_code == 200
    assert node.commands() == [RemoveConfig("shop_app", "admin:k-1")]
