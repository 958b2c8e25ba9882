"""Before a deploy its machines are asked for the paths that it binds, and what may be in its way is told."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from actors.protocol import PathsSeen, WantPaths
from cluster.spec import Mount, Placement, UpdatePolicy
from tests.portal.build import NODE, SHOP, WEB

pytestmark = pytest.mark.anyio

CONF = "/srv/shop/conf"
FILE = replace(SHOP, services={"web": replace(WEB, mounts=(Mount("bind", "/etc/app", CONF, create_host_path=False),))})
BODY = orjson.dumps({"spec": FILE})


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/stacks/shop"), ("POST", "/v1/stacks/shop/plan")])
async def test_a_path_that_is_missing_is_refused_by_the_deploy_and_by_its_plan(api, node, method, path):
    node.of_nodes[NODE] = PathsSeen((CONF,))
    answer = await api.request(method, path, content=BODY)
    assert answer.status_code == 409
    [finding] = answer.json()["findings"]
    assert (finding["path"], finding["message"]) == ("services.web.volumes[0]", f"{CONF} is not on rome")
    assert node.asked_nodes == [(NODE, "agent/executor", WantPaths((CONF,)))]
    assert not node.commands()


async def test_one_that_is_there_is_deployed_without_a_word(api, node):
    node.of_nodes[NODE] = PathsSeen()
    answer = await api.put("/v1/stacks/shop", content=BODY)
    assert (answer.status_code, answer.json()["warnings"]) == (200, [])


async def test_a_machine_that_does_not_answer_is_a_warning(api, node):
    answer = await api.put("/v1/stacks/shop", content=BODY)
    assert answer.status_code == 200
    assert answer.json()["warnings"] == [f"whether {CONF} is on rome is not known: it does not answer"]


async def test_one_that_is_made_is_refused_where_it_is_there_on_the_machine_that_the_deploy_came_from(api, node):
    node.of_nodes[NODE] = PathsSeen((CONF,))
    made = replace(FILE, services={"web": replace(WEB, mounts=(Mount("bind", "/etc/app", CONF),))})
    answer = await api.put("/v1/stacks/shop", content=orjson.dumps({"spec": made, "here": [CONF]}))
    assert (answer.status_code, answer.json()["findings"][0]["path"]) == (409, "services.web.volumes[0]")
    assert not node.commands()
    warned = await api.put("/v1/stacks/shop", content=orjson.dumps({"spec": made}))
    assert warned.json()["warnings"][0].startswith(f"services.web.volumes[0]: {CONF} is not on rome: ")


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/stacks/shop"), ("POST", "/v1/stacks/shop/plan")])
async def test_an_update_that_could_only_wait_for_its_predecessor_is_a_warning_beside_that_of_a_bind(
    api, node, method, path
):
    alone = replace(
        FILE.services["web"],
        replicas=1,
        placement=Placement(max_replicas_per_node=1),
        update=UpdatePolicy(order="start-first"),
    )
    body = orjson.dumps({"spec": replace(FILE, services={"web": alone})})
    [bind, update] = (await api.request(method, path, content=body)).json()["warnings"]
    assert bind.startswith(f"whether {CONF} is on rome")
    assert update.endswith("it would wait for ever; write update_config.order: stop-first")
