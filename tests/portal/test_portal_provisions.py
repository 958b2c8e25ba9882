"""Networks and volumes: who has them, who uses them, and how a volume goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.protocol import Accepted, DoneWell, DropVolume, Failed, Refused, RemoveVolume
from cluster.model import Network, revision_key
from cluster.spec import Mount, NetworkSpec, VolumeSpec
from tests.portal.build import NODE, SHOP, WEB, state, task

pytestmark = pytest.mark.anyio

DEFAULT = Network("shop_default", "shop", "default", "10.9.0.0/24", "10.9.0.1", 1500, labels={"a": "b"})


@pytest.fixture
def networked(node):
    """The shop has its network, names one of somebody else's, and its web keeps data."""
    there = state(task(1), task(2, state="failed"), networks={"shop_default": DEFAULT})
    rome = replace(there.nodes[NODE], networks=("shop_default",))
    oslo = replace(
        rome, id="oslo-1", name="oslo", networks=(), volumes=("shop_data",), status="down", message="no beat"
    )
    external = replace(SHOP, networks={**SHOP.networks, "edge": NetworkSpec("edge", external=True)})
    node.state = replace(
        there,
        nodes={NODE: rome, "oslo-1": oslo},
        stacks={"shop": replace(there.stacks["shop"], spec=external)},
        revisions={revision_key("shop/web", WEB.revision()): replace(WEB, mounts=(Mount("volume", "/d", "data"),))},
    )
    return node


async def test_networks_say_where_they_are_and_who_is_on_them(api, networked):
    body = (await api.get("/v1/networks")).json()
    assert body["revision"] == 7
    edge, default = body["items"]
    assert (edge["name"], edge["external"], edge["driver"], edge["nodes"], edge["tasks"]) == ("edge", True, "", [], [])
    assert default == {
        "name": "shop_default",
        "stack": "shop",
        "key": "default",
        "external": False,
        "driver": "bridge",
        "internal": False,
        "subnet": "10.9.0.0/24",
        "gateway": "10.9.0.1",
        "nodes": ["rome"],
        "tasks": ["shop-web-1"],
    }
    assert (await api.get("/v1/networks?stack=blog")).json()["items"] == []


async def test_a_network_has_the_addresses_of_its_tasks(api, networked):
    row = (await api.get("/v1/networks/shop_default")).json()
    assert row["attached"] == [{"task": "shop-web-1", "id": "web1-aaaa", "node": "rome", "address": "10.9.0.5"}]
    assert (row["mtu"], row["labels"]) == (1500, {"a": "b"})
    missing = await api.get("/v1/networks/shop_defaul")
    assert (missing.status_code, 'did you mean "shop_default"?' in missing.json()["detail"]) == (404, True)


async def test_volumes_say_where_they_are_and_who_uses_them(api, networked):
    rows = {row["name"]: row for row in (await api.get("/v1/volumes")).json()["items"]}
    assert rows["shop_data"] == {
        "name": "shop_data",
        "stack": "shop",
        "key": "data",
        "external": False,
        "driver": "local",
        "nodes": ["oslo", "rome"],
        "tasks": ["shop-web-1"],
    }
    assert (rows["old_data"]["stack"], rows["old_data"]["driver"], rows["old_data"]["nodes"]) == ("", "", ["rome"])
    one = (await api.get("/v1/volumes/shop_data")).json()
    assert (one["stacks"], one["labels"], one["options"]) == (["shop"], {}, {})
    assert (await api.get("/v1/volumes/shop_dat")).status_code == 404


async def test_a_volume_is_removed_by_every_machine_that_has_it(api, node):
    node.of_nodes[NODE] = DoneWell()
    answer = await api.delete("/v1/volumes/old_data", headers={"Idempotency-Key": "k"})
    assert answer.json() == {"revision": 8, "volume": "old_data", "removed": ["rome"], "kept": []}
    assert node.commands() == [RemoveVolume("old_data", "admin:k")]
    assert node.asked_nodes == [(NODE, "agent/provisions", DropVolume("old_data"))]


async def test_machines_that_keep_it_are_named_with_the_reason(api, networked):
    nodes = {id: replace(node, volumes=("old_data",)) for id, node in networked.state.nodes.items()}
    networked.state = replace(networked.state, nodes=nodes)
    networked.of_nodes[NODE] = Failed("has it in use: by x")
    body = (await api.delete("/v1/volumes/old_data")).json()
    assert (body["removed"], body["kept"]) == (
        [],
        [{"node": "oslo", "why": "is down: no beat"}, {"node": "rome", "why": "has it in use: by x"}],
    )
    assert [asked[0] for asked in networked.asked_nodes] == [NODE]


async def test_a_repeat_removes_nothing_for_what_is_there_by_now_may_be_other_data(api, node):
    node.state = replace(node.state, commands={"admin:k": "{}"})
    body = (await api.delete("/v1/volumes/old_data", headers={"Idempotency-Key": "k"})).json()
    assert (body["removed"], [kept["node"] for kept in body["kept"]], node.asked_nodes) == ([], ["rome"], [])
    assert "a repeat removes nothing" in body["kept"][0]["why"]
    node.state = replace(node.state, nodes={NODE: replace(node.state.nodes[NODE], volumes=())})
    body = (await api.delete("/v1/volumes/old_data", headers={"Idempotency-Key": "k"})).json()
    assert (body["removed"], body["kept"]) == ([], [])


async def test_a_volume_that_a_stack_names_since_the_senate_gave_it_up_stays(api, node):
    def give_up(command):
        taken = replace(SHOP, volumes={"data": VolumeSpec("old_data")})
        node.state = replace(node.state, stacks={"shop": replace(node.state.stacks["shop"], spec=taken)})
        return Accepted(8)

    node.of_nodes[NODE], node.replies[RemoveVolume] = DoneWell(), give_up
    [kept] = (await api.delete("/v1/volumes/old_data")).json()["kept"]
    assert kept["node"] == "rome"
    assert kept["why"].startswith("keeps it: volume old_data is named by stack shop")
    assert node.asked_nodes == []


async def test_what_the_senate_refuses_no_machine_is_asked_for(api, node):
    node.replies[RemoveVolume] = Refused("conflict", "volume shop_data is named by stack shop")
    answer = await api.delete("/v1/volumes/shop_data")
    assert (answer.status_code, answer.json()["detail"]) == (409, "volume shop_data is named by stack shop")
    assert node.asked_nodes == []
