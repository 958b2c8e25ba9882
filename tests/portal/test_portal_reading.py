"""What the API shows."""

from dataclasses import replace

import pytest

from cluster.capacity import Disk
from cluster.model import revision_key
from cluster.presence import PAUSE_ABOVE, PAUSED
from cluster.spec import Dependency, Resources
from tests.portal.build import NODE, NOW, WEB, FakeNode, actor, attempt, state, task

pytestmark = pytest.mark.anyio


async def test_cluster_says_who_answers_and_at_which_revision(api):
    answer = await api.get("/v1/cluster")
    assert answer.json() == {
        "name": "legion",
        "id": "c-1",
        "version": "0.1.0",
        "revision": 7,
        "epoch": 3,
        "node": NODE,
        "api": "",
        "authority": "",
        "alarm": "",
        "pause_above": 50,
        "privileged": "auto",
        "privileged_taken": True,
    }


async def test_the_cluster_s_alarm_is_why_no_tasks_are_replaced(api, node):
    node.state = state(settings={PAUSED: "no tasks are replaced: most are gone", PAUSE_ABOVE: "20"})
    answer = (await api.get("/v1/cluster")).json()
    assert (answer["alarm"], answer["pause_above"]) == ("no tasks are replaced: most are gone", 20)


async def test_a_node_says_what_is_reserved_there_and_what_has_not_left_it(api, node):
    reserved = replace(WEB, reserved=Resources(cpus=0.5, memory=1000))
    there = state(task(1), task(2, state="stopped"), revisions={revision_key("shop/web", WEB.revision()): reserved})
    node.state = there
    for reference in ("rome", NODE):
        row = (await api.get(f"/v1/nodes/{reference}")).json()
        assert (row["id"], row["reserved_cpus"], row["reserved_memory"], row["leaving"]) == (NODE, 0.5, 1000, [])
    drained = replace(there.nodes[NODE], availability="drain", labels={"gpu": "nvidia"})
    node.state = replace(there, nodes={NODE: drained})
    row = (await api.get("/v1/nodes/rome")).json()
    assert (row["availability"], row["labels"]) == ("drain", {"gpu": "nvidia"})
    assert [(one["task"], one["state"], one["stuck"]) for one in row["leaving"]] == [("shop-web-1", "running", False)]
    assert "waits for its turn" in row["leaving"][0]["words"]


async def test_tasks_of_a_node_are_those_on_it_that_go_on_or_were_the_last_of_their_slot(api, node):
    moved = task(1, id="web1-bbbb", node="oslo-1", created_at=NOW)
    oslo = replace(node.state.nodes[NODE], id="oslo-1", name="oslo")
    node.state = state(task(1, desired="stop"), task(2, desired="stop", state="stopped"), moved)
    node.state = replace(node.state, nodes={**node.state.nodes, "oslo-1": oslo})

    async def there(query):
        return [row["id"] for row in (await api.get(f"/v1/tasks?{query}")).json()["items"]]

    assert await there("node=rome") == ["web1-aaaa", "web2-aaaa"]
    assert await there("node=oslo-1") == ["web1-bbbb"]
    assert await there("") == ["web1-bbbb", "web2-aaaa"]
    assert (await api.get("/v1/tasks?node=gaul")).status_code == 404


async def test_nodes_count_the_tasks_that_they_have_to_run(api, node):
    node.state = state(task(1), task(2, desired="stop", state="stopped"))
    body = (await api.get("/v1/nodes")).json()
    assert body["revision"] == 7
    assert [(row["name"], row["status"], row["tasks"]) for row in body["items"]] == [("rome", "ready", 1)]


async def test_a_stack_that_runs_says_so(api):
    row = (await api.get("/v1/stacks")).json()["items"][0]
    assert row == {
        "name": "shop",
        "services": 1,
        "tasks_running": 2,
        "tasks_wanted": 2,
        "status": "running",
        "message": "",
        "updated_at": NOW - 60,
        "volumes": ["shop_data"],
        "networks": ["shop_default"],
    }


@pytest.mark.parametrize(
    ("second", "status", "message"),
    [
        ({"state": "starting"}, "updating", "1 of 2 tasks of web are there"),
        ({"state": "preparing", "crashes": 1, "problem": "exit 1"}, "degraded", "web.2: exit 1"),
        ({"state": "failed", "message": "exit 1"}, "degraded", "web.2: exit 1"),
        ({"health": "unhealthy", "problem": "unhealthy"}, "degraded", "web.2: unhealthy"),
    ],
)
async def test_a_stack_status_tells_waiting_from_trouble_and_why(api, node, second, status, message):
    node.state = state(task(1), task(2, **second))
    row = (await api.get("/v1/stacks/shop")).json()
    assert (row["status"], row["message"], row["tasks_running"]) == (status, message, 1)


async def test_a_stack_without_a_service_says_how_to_be_rid_of_it(api, node):
    node.state = replace(state(services={}), tasks={})
    row = (await api.get("/v1/stacks/shop")).json()
    assert (row["status"], row["tasks_wanted"], row["services"]) == ("empty", 0, 0)
    assert row["message"] == "no service is left of it: `gbnt stack rm shop` removes it"


async def test_a_stack_that_is_held_or_leaves_says_so(api, node):
    service, stack = node.state.services["shop/web"], node.state.stacks["shop"]
    node.state = state(services={"shop/web": replace(service, stopped=True)})
    assert (await api.get("/v1/stacks/shop")).json()["status"] == "stopped"
    node.state = state(stacks={"shop": replace(stack, removing=True)})
    assert (await api.get("/v1/stacks/shop")).json()["status"] == "removing"


async def test_a_stack_shows_the_spec_it_was_deployed_from(api):
    spec = (await api.get("/v1/stacks/shop")).json()["spec"]
    assert spec["services"]["web"]["image"] == "web:1"


async def test_a_service_shows_its_ports_and_how_many_serve(api, node):
    node.state = state(task(1), task(2, health="unhealthy"))
    row = (await api.get("/v1/services", params={"stack": "shop"})).json()["items"][0]
    assert (row["name"], row["replicas"], row["running"], row["stopped"]) == ("shop/web", 2, 1, False)
    assert [(port["target"], port["published"], port["protocol"]) for port in row["ports"]] == [(80, 8080, "tcp")]
    assert (await api.get("/v1/services", params={"stack": "other"})).json()["items"] == []


async def test_one_service_shows_its_spec(api):
    body = (await api.get("/v1/services/shop/web")).json()
    assert (body["revision"], body["spec"]["replicas"]) == (WEB.revision(), 2)


async def test_tasks_are_those_that_count_unless_all_are_asked_for(api, node):
    old = task(1, id="old", desired="stop", state="stopped", created_at=NOW - 999)
    held = task(2, desired="stop", state="stopped")
    node.state = state(old, task(1), held)
    named = [row["id"] for row in (await api.get("/v1/tasks")).json()["items"]]
    assert named == ["web1-aaaa", "web2-aaaa"]
    every = [row["id"] for row in (await api.get("/v1/tasks", params={"all": 1})).json()["items"]]
    assert every == ["old", "web1-aaaa", "web2-aaaa"]


@pytest.mark.parametrize(
    "params", [{"stack": "shop"}, {"service": "web"}, {"service": "shop/web"}, {"stack": "shop", "service": "web"}]
)
async def test_tasks_are_chosen_by_stack_and_service(api, params):
    assert len((await api.get("/v1/tasks", params=params)).json()["items"]) == 2
    assert (await api.get("/v1/tasks", params={**params, "stack": "x", "service": "x"})).json()["items"] == []


@pytest.mark.parametrize("reference", ["web1-aaaa", "web1", "shop-web-1"])
async def test_a_task_is_found_by_id_beginning_or_name(api, reference):
    assert (await api.get(f"/v1/tasks/{reference}")).json()["id"] == "web1-aaaa"


async def test_a_task_tells_all_that_a_person_may_ask(api, node):
    past = (attempt(1, "c0", "exit 137, out of memory"),)
    node.state = state(task(1, exit_code=None, past=past, attempt=2, gpus=("nvidia.com/gpu=0",)))
    row = (await api.get("/v1/tasks/shop-web-1")).json()
    assert row["node"] == "rome"
    assert row["image"] == "web:1"
    assert row["addresses"] == {"shop_default": "10.9.0.5"}
    assert row["ports"] == [{"target": 80, "protocol": "tcp", "host_ip": "0.0.0.0", "host_port": 8080}]
    assert row["gpus"] == ["nvidia.com/gpu=0"]
    assert row["past"][0]["reason"] == "exit 137, out of memory"


async def test_volumes_are_a_stack_s_own_and_those_that_outlived_theirs(api):
    items = (await api.get("/v1/volumes")).json()["items"]
    assert [(row["name"], row["stack"], row["nodes"]) for row in items] == [
        ("old_data", "", ["rome"]),
        ("shop_data", "shop", ["rome"]),
    ]
    assert [row["name"] for row in (await api.get("/v1/volumes?stack=shop")).json()["items"]] == ["shop_data"]


async def test_actors_are_a_flat_list_and_each_is_found_by_path_or_address(api):
    items = (await api.get("/v1/actors")).json()["items"]
    assert [row["address"] for row in items] == [
        "rome-1",
        "rome-1/senate",
        "rome-1/services/shop/web",
        "rome-1/portal/api",
    ]
    for name in ("services/shop/web", "rome-1/services/shop/web"):
        assert (await api.get(f"/v1/actors/{name}")).json()["kind"] == "ServiceActor"


async def test_an_actor_s_restarts_and_last_failure_are_shown(api, node):
    node.tree = [actor("senate", restarts=4, last_failure="StoreLost: gone")]
    row = (await api.get("/v1/actors/senate")).json()
    assert (row["restarts"], row["last_failure"], row["detail"]) == (4, "StoreLost: gone", {"followers": 1})


async def test_one_off_work_that_is_done_is_no_longer_wanted(api, node: FakeNode):
    from cluster.spec import RestartPolicy

    spec = replace(WEB, restart=RestartPolicy("on-failure"), depends_on=(Dependency("db"),))
    service = replace(node.state.services["shop/web"], spec=spec)
    node.state = state(task(1, state="complete"), task(2, state="complete"), services={"shop/web": service})
    row = (await api.get("/v1/stacks/shop")).json()
    assert (row["tasks_wanted"], row["tasks_running"], row["status"]) == (0, 0, "done")
    row = (await api.get("/v1/services/shop/web")).json()
    assert (row["running"], row["done"], row["replicas"]) == (0, 2, 2)


async def test_placement_says_of_each_machine_why_not(api, node):
    waiting = task(1, node="", state="pending", message="waits for a machine (1 node: 1 is draining)")
    there = state(waiting)
    node.state = replace(there, nodes={NODE: replace(there.nodes[NODE], availability="drain")})
    of_task = (await api.get("/v1/tasks/shop-web-1/placement")).json()
    assert (of_task["subject"], of_task["sentence"]) == ("shop-web-1", waiting.message)
    [machine] = of_task["nodes"]
    assert (machine["node"], machine["word"], machine["reasons"]) == (
        "rome",
        "no",
        [{"why": "is draining", "remedy": "`gbnt node update rome --availability active`"}],
    )
    of_service = (await api.get("/v1/services/shop/web/placement")).json()
    assert of_service["nodes"] == of_task["nodes"]
    assert (await api.get("/v1/services/shop/wbe/placement")).status_code == 404


async def test_a_node_whose_disk_is_nearly_full_warns_of_it(api, node):
    full = replace(node.state.nodes[NODE], disk=Disk("/var/lib/docker", 100, 9, unknown=""))
    node.state = replace(node.state, nodes={NODE: full})
    assert (await api.get("/v1/nodes/rome")).json()["warning"].startswith("its disk is 91 % full")
