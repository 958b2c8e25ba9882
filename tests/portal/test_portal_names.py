"""`/v1/names`: what a name means, and why a replica is in no answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.model import Network
from cluster.spec import Attachment
from tests.portal.build import WEB, state, task

pytestmark = pytest.mark.anyio

ON = {"shop_default": "10.0.1.5"}
NETWORK = Network("shop_default", "shop", "default", "10.0.1.0/24", "10.0.1.1", 1500)


async def test_a_name_is_shown_with_what_it_means(api, node):
    before = state(task(health="unhealthy", addresses=ON))
    web = replace(before.services["shop/web"], spec=replace(WEB, networks=(Attachment("default"),)))
    node.state = replace(before, services={web.key: web}, networks={"shop_default": NETWORK})
    [row] = (await api.get("/v1/names/web.shop")).json()["items"]
    said = {name: row[name] for name in ("network", "task", "node", "address", "answers", "why")}
    assert said == {
        "network": "shop_default",
        "task": "shop-web-1",
        "node": "rome",
        "address": "10.0.1.5",
        "answers": False,
        "why": "is unhealthy",
    }


async def test_a_name_that_nobody_has_is_not_there_and_a_near_one_is_named(api):
    answer = await api.get("/v1/names/wep.shop")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        'there is no name "wep.shop"; did you mean "web.shop"?',
    )


async def test_names_of_services_without_a_network_are_nobody_s(api):
    assert (await api.get("/v1/names/web.shop")).status_code == 404
