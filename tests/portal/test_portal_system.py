"""What the engines of all machines keep, and putting away what nothing needs."""

from __future__ import annotations

from dataclasses import replace

import anyio
import orjson
import pytest

from actors.protocol import (
    Asked,
    DoneWell,
    DropVolume,
    Failed,
    NotePruned,
    Prune,
    Pruned,
    Refused,
    RemoveVolume,
    UsageSeen,
    WantUsage,
)
from cluster.containers import CLUSTER, TASK
from cluster.decide.images import USED
from cluster.spec import VolumeSpec
from cluster.usage import KeptContainer, KeptImage, KeptVolume, Share, Usage
from portal.api.app import create_api
from tests.portal.build import NODE, SHOP, WEB, state, task
from tests.portal.driver import get

pytestmark = pytest.mark.anyio

OLD, THEIRS = KeptImage("sha256:old", ("web:0",), (), 100, 40, 0), KeptImage("sha256:x", ("x:1",), (), 10, 0, 0)
ENDED = KeptContainer("c0", "shop-web-2-x", "sha256:new", "exited", {CLUSTER: "c-1", TASK: "web2-aaaa"}, 7)
KEPT = Usage((OLD, THEIRS), (ENDED,), (KeptVolume("old_data", {}, 9, 0),), Share(2, 1, 8, 4), 110)


@pytest.fixture
def full(node):
    """Two machines: one whose engine keeps what nothing needs, and one that is down."""
    there = state(task(1), task(2, state="complete"), settings={f"{USED}web:0": "3 web:0"})
    oslo = replace(there.nodes[NODE], id="oslo-1", name="oslo", status="down", message="no beat", volumes=())
    node.state = replace(there, nodes={**there.nodes, "oslo-1": oslo})

    def answer(path, message):
        return UsageSeen(KEPT) if isinstance(message, WantUsage) else node.answers[type(message)]

    node.answers = {Prune: Pruned(("c0", "sha256:old")), DropVolume: DoneWell()}
    node.of_nodes[NODE] = answer
    return node


def audit(node):
    """What the audit says, oldest first."""
    return [(one.deed.subject, one.outcome, one.message) for one in node.records]


async def lines(api, method, path, **body):
    answer = await api.request(method, path, content=orjson.dumps(body) if body else None)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    rows = [orjson.loads(line) for line in answer.text.splitlines()]
    return sorted(rows, key=lambda row: row.get("node", "~"))


async def test_each_machine_says_what_it_keeps_and_one_that_does_not_is_named(api, full):
    oslo, rome = await lines(api, "GET", "/v1/system/df")
    assert oslo == {
        "node": "oslo",
        "id": "oslo-1",
        "unknown": "is down: no beat",
        "images": None,
        "containers": None,
        "volumes": None,
        "cache": None,
    }
    assert rome["images"] == {"number": 2, "in_use": 0, "size": 110, "reclaimable": 70, "unsized": 0}
    assert rome["containers"] == {"number": 1, "in_use": 0, "size": 7, "reclaimable": 7, "unsized": 0}
    assert rome["volumes"] == {"number": 1, "in_use": 0, "size": 9, "reclaimable": 9, "unsized": 0}
    assert rome["cache"] == {"number": 2, "in_use": 1, "size": 8, "reclaimable": 4, "unsized": 0}


async def test_a_dry_run_says_what_would_go_and_touches_nothing(api, full):
    oslo, rome, *volumes = await lines(api, "GET", "/v1/system/prune?volumes=old_data,shop_data,none")
    assert (oslo["unknown"], oslo["containers"]) == ("is down: no beat", [])
    assert rome["containers"] == [{"id": "c0", "name": "shop-web-2-x", "size": 7}]
    assert rome["images"] == [{"id": "sha256:old", "name": "web:0", "size": 60}]
    assert (rome["size"], rome["kept"]) == (67, [])
    said = {row["volume"]: (row["nodes"], row["size"], row["why"].partition(":")[0]) for row in volumes}
    assert said == {
        "old_data": (["rome"], 9, ""),
        "shop_data": (["rome"], None, "volume shop_data is named by stack shop"),
        "none": ([], 0, "no machine has it; `gbnt volume ls` shows what is there"),
    }
    assert {type(message) for _, _, message in full.asked_nodes} == {WantUsage}
    assert (full.commands(), full.noted) == ([], [])


async def test_what_goes_is_what_the_person_has_seen_containers_first_and_volumes_last(api, full):
    full.answers[Prune] = Pruned(("c0",), {"sha256:old": "is in use: by x"})
    wanted = {"only": ["c0", "sha256:old", "sha256:x"], "all_volumes": True}
    _, rome, volume = await lines(api, "POST", "/v1/system/prune", **wanted)
    assert (rome["containers"], rome["images"], rome["size"]) == (
        [{"id": "c0", "name": "shop-web-2-x", "size": 7}],
        [],
        7,
    )
    assert rome["kept"] == [{"id": "sha256:old", "name": "web:0", "size": 60, "why": "is in use: by x"}]
    assert (volume["volume"], volume["removed"], volume["kept"]) == ("old_data", ["rome"], [])
    assert [message for _, _, message in full.asked_nodes] == [
        WantUsage(),
        Prune(("c0",), {"sha256:old": ("web:0",)}),
        DropVolume("old_data"),
    ]
    assert full.commands() == [NotePruned(NODE, 1, 0), RemoveVolume("old_data")]
    assert {asked.deed.caller.token for asked in full.deeds} == {"admin"}  # events have the request's id by that
    assert audit(full) == [
        ("rome", "done", "web: created"),
        ("old_data", "begun", "web: created"),
        (
            "",
            "failed",
            "containers: 1, images: 0; volume old_data removed from rome; oslo is down: no beat",
        ),
    ]


async def test_a_pruning_that_everybody_did_is_done_and_says_what_went(api, full):
    full.state = replace(full.state, nodes={NODE: full.state.nodes[NODE]})
    await lines(api, "POST", "/v1/system/prune")
    assert audit(full)[-1] == ("", "done", "containers: 1, images: 1")


async def test_what_went_is_noted_though_its_client_has_left(full):
    noting, noted = anyio.Event(), anyio.Event()
    answer = full.ask

    async def ask(path, message, timeout):
        if isinstance(message, Asked):
            noting.set()
            await anyio.sleep(0.01)
            noted.set()
        return await answer(path, message, timeout)

    full.ask = ask
    async with get(create_api(full.backend()), "/v1/system/prune", method="POST", body=b"{}") as stream:
        await noting.wait()
        stream.leave()
        await stream.ended.wait()
    assert noted.is_set()
    assert audit(full)[0] == ("rome", "done", "web: created")
    assert audit(full)[-1][1:] == (
        "abandoned",
        "containers: 1, images: 1; oslo is down: no beat; the client left before it ended",
    )


async def test_the_audit_says_of_a_volume_what_became_of_it(api, full):
    await api.delete("/v1/volumes/old_data")
    assert audit(full) == [("old_data", "begun", "web: created"), ("old_data", "done", "removed from rome")]
    full.answers[DropVolume] = Failed("is used by x")
    assert (await api.delete("/v1/volumes/old_data")).json()["kept"] == [{"node": "rome", "why": "is used by x"}]
    assert audit(full)[-1] == ("old_data", "failed", "rome keeps it: is used by x")
    full.replies[RemoveVolume] = Refused("conflict", "it is used")
    await api.delete("/v1/volumes/old_data")
    assert [outcome for _, outcome, _ in audit(full)[4:]] == ["conflict"]


async def test_what_was_not_seen_stays(api, full):
    _, rome = await lines(api, "POST", "/v1/system/prune", only=["another"])
    assert (rome["containers"], rome["images"]) == ([], [])
    assert [message for _, _, message in full.asked_nodes] == [WantUsage()]


async def test_all_images_that_nothing_uses_go_where_that_is_asked_for(api, full):
    _, rome = await lines(api, "GET", "/v1/system/prune?all_images=1")
    assert [image["name"] for image in rome["images"]] == ["web:0", "x:1"]


async def test_a_machine_that_was_lost_on_the_way_is_named(api, full):
    full.answers[Prune] = Failed("does not say: the engine stopped")
    _, rome = await lines(api, "POST", "/v1/system/prune")
    assert (rome["unknown"], rome["containers"]) == ("does not say: the engine stopped", [])


async def test_a_volume_that_the_senate_keeps_says_why(api, full):
    full.replies[RemoveVolume] = Refused("conflict", "volume old_data is used by shop-web-1")
    *_, volume = await lines(api, "POST", "/v1/system/prune", volumes=["old_data"])
    assert (volume["why"], volume["removed"]) == ("volume old_data is used by shop-web-1", [])


async def test_what_a_deploy_needs_since_an_engine_was_asked_stays(api, full):
    def answer(path, message):
        if isinstance(message, WantUsage):  # which took so long that somebody deployed meanwhile
            back = replace(SHOP, services={"web": replace(WEB, image="web:0")}, volumes={"x": VolumeSpec("old_data")})
            full.state = replace(full.state, stacks={"shop": replace(full.state.stacks["shop"], spec=back)})
        return UsageSeen(KEPT) if isinstance(message, WantUsage) else full.answers[type(message)]

    full.of_nodes[NODE] = answer
    full.answers[Prune] = Pruned(("c0",))
    _, rome, volume = await lines(api, "POST", "/v1/system/prune", all_volumes=True)
    assert ([image["name"] for image in rome["images"]], rome["kept"], volume["volume"]) == ([], [], "shop_data")
    assert [message for _, _, message in full.asked_nodes] == [WantUsage(), Prune(("c0",), {}), DropVolume("shop_data")]


async def test_volumes_have_sizes_where_those_are_asked_for(api, full):
    rows = {row["name"]: row for row in (await api.get("/v1/volumes?sizes=1")).json()["items"]}
    assert (rows["old_data"]["sizes"], rows["old_data"]["unknown"]) == ({"rome": 9}, {})
    assert rows["shop_data"]["sizes"] == {"rome": None}
    full.of_nodes[NODE] = Failed("does not say: the engine stopped")
    one = (await api.get("/v1/volumes/old_data?sizes=1")).json()
    assert (one["sizes"], one["unknown"]) == ({"rome": None}, {"rome": "does not say: the engine stopped"})
