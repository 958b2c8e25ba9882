"""What holds of every endpoint: who may use it, what the audit keeps of it, versions, and streams over WebSockets."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import anyio
import httpx
import orjson
import pytest

from actors.protocol import Accepted, Audit, CreateToken, GetAudit, Refused, RemoveNode, ScaleService, UpdateNode
from cluster.audit import AuditRecord, Caller, Deed
from cluster.decide.versions import objection
from cluster.expected import ANY, Expected
from portal.api.access import RANK
from portal.api.app import ENDPOINTS, create_api
from supervisor.address import Address
from supervisor.errors import AskTimeout
from tests.portal.build import NODE, NOW, bearer, state
from tests.portal.driver import get
from tests.portal.socket_driver import talk

pytestmark = pytest.mark.anyio

PATHS = {"name": "shop", "stack": "shop", "service": "web", "node": "rome", "task": "shop-web-1", "path": "senate"}
GUARDED = [one for one in ENDPOINTS if one.access != "open"]


def told(node) -> list[tuple[str, str, str, str]]:
    """What the audit says, oldest first."""
    return [(one.deed.action, one.deed.subject, one.outcome, one.message) for one in node.records]


def path_of(endpoint) -> str:
    return re.sub(r"{(\w+)(?::path)?}", lambda part: PATHS.get(part[1], "1"), endpoint.path)


async def asked(app, endpoint, headers: dict[str, str]) -> tuple[int, str]:
    """The status and the code of what is wrong with an empty question; 0 where a socket opens, and no code if good."""
    if endpoint.shape == "socket":
        async with talk(app, path_of(endpoint), headers) as ours:
            await ours.say("{}")
            await ours.leave()
            await ours.ended.wait()
            last = orjson.loads(ours.problem) if ours.status else await ours.hear()
            assert isinstance(last, dict)
            return ours.status, last["code"]
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=headers) as client:
        answer = await client.request(endpoint.method, path_of(endpoint))
    lines = answer.text.splitlines() if "json" in answer.headers["content-type"] else []
    return answer.status_code, orjson.loads(lines[-1]).get("code", "") if lines else ""


@pytest.fixture
def app(node):
    return create_api(node.backend())


@pytest.fixture
async def stranger(node, app):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt") as client:
        yield client


def test_endpoints_have_names_of_their_own_and_say_what_they_do():
    names = [one.name for one in ENDPOINTS]
    assert len(names) == len(set(names))
    assert all(one.about for one in ENDPOINTS)
    assert len({(one.method, one.path) for one in ENDPOINTS}) == len(ENDPOINTS)


@pytest.mark.parametrize("endpoint", GUARDED, ids=lambda one: one.name)
async def test_nobody_comes_in_without_a_token_and_the_attempt_is_kept(app, node, endpoint):
    assert await asked(app, endpoint, {}) == (401, "unauthorized")
    [(deed, outcome)] = node.noted
    assert (deed.action, deed.subject, outcome) == ("sign-in", path_of(endpoint), "unauthorized")
    assert not node.deeds


@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize("endpoint", GUARDED, ids=lambda one: one.name)
async def test_a_role_reaches_what_is_for_it_alone(app, node, endpoint, role):
    node.told.close()  # what follows the cluster comes to an end
    answer = await asked(app, endpoint, bearer(role))
    if RANK[role] >= RANK[endpoint.access]:
        assert not {401, 403, 500} & {answer[0]}, answer
        assert "forbidden" not in [outcome for _, outcome in node.noted]
        return
    assert answer == (403, "forbidden")
    [(deed, outcome)] = node.noted
    assert (deed.action, deed.caller.name, outcome) == (endpoint.name, f"{role}'s", "forbidden")
    assert not node.deeds


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.changes], ids=lambda one: one.name)
async def test_the_audit_says_of_every_change_what_its_answer_does(app, node, endpoint):
    _, code = await asked(app, endpoint, bearer("admin"))
    good = "failed" if endpoint.name == "system.prune" else "done"  # the machine there does not say what it has
    assert node.records[-1].outcome == (code or good)
    assert node.records[-1].deed.action == endpoint.name


def test_a_viewer_changes_nothing():
    assert {one.access for one in ENDPOINTS if one.changes} == {"open", "own", "operator", "admin"}
    assert {one.path for one in ENDPOINTS if one.changes and one.access == "own"} == {
        "/v1/sessions/current",
        "/v1/me/password",
    }


async def test_what_the_senate_decides_comes_with_who_asks_for_it(api, node):
    await api.post("/v1/services/shop/web/scale", json={"replicas": 3}, headers={"X-Request-Id": "r1"})
    [asked] = node.deeds
    assert asked.command == ScaleService("shop/web", 3)
    assert asked.deed == Deed(Caller("admin's", "admin", "admin", "127.0.0.1", "r1"), "services.scale", "shop/web")
    assert not node.noted  # the Senate keeps it with what it decided


async def test_what_is_refused_before_the_senate_is_asked_is_kept_too(api, node):
    assert (await api.post("/v1/services/shop/web/scale", json={"replicas": "many"})).status_code == 422
    [(deed, outcome)] = node.noted
    assert (deed.action, outcome, node.deeds) == ("services.scale", "invalid", [])


async def test_an_outcome_that_nobody_knows_is_kept_as_that(api, node):
    node.replies[ScaleService] = AskTimeout(Address(NODE, "senate"), 30.0)
    assert (await api.post("/v1/services/shop/web/scale", json={"replicas": 3})).json()["code"] == "unknown"
    assert [outcome for _, outcome in node.noted] == ["unknown"]


async def test_what_needs_no_senate_is_kept_when_it_is_done(api, node):
    await api.post("/v1/builds?tag=x:1", content=b"")
    assert told(node) == [("builds.build", "x:1", "done", "sha256:x:1")]


async def test_a_stream_that_fails_half_way_is_kept_as_that(api, node):
    node.build_fails = "no such stage"
    assert '"code":"conflict"' in (await api.post("/v1/builds?tag=x:1", content=b"")).text
    assert told(node) == [("builds.build", "x:1", "conflict", "no such stage")]


async def test_a_stream_whose_client_leaves_is_kept_as_abandoned_and_not_before(node):
    building = anyio.Event()

    async def build(context, tag, options):
        assert [chunk async for chunk in context] == []
        building.set()
        yield "Step 1/9"
        await anyio.sleep_forever()

    node.build = build
    async with get(create_api(node.backend()), "/v1/builds?tag=x:1", method="POST") as stream:
        await building.wait()
        assert not node.records
        stream.leave()
        await stream.ended.wait()
    assert told(node) == [("builds.build", "x:1", "abandoned", "the client left before it ended")]


async def leave_within_the_body(app, target):
    async with get(app, target, method="POST", body=b"{", whole=False) as stream:
        stream.leave()
        await stream.ended.wait()
    return stream.status


async def test_who_leaves_within_a_body_failed_in_nothing_and_is_kept_as_one_who_left(app, node, caplog):
    assert await leave_within_the_body(app, "/v1/services/shop/web/scale") == 0
    assert told(node) == [("services.scale", "shop/web", "abandoned", "the client left before it ended")]
    assert await leave_within_the_body(app, "/v1/stacks/shop/plan") == 0
    assert len(node.records) == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_who_comes_by_no_token_and_leaves_does_not_fill_the_audit_either(app, node):
    for _ in range(15):
        assert await leave_within_the_body(app, "/v1/sessions") == 0
    assert [record.outcome for record in node.records] == ["abandoned"] * 10


async def test_who_comes_by_no_token_fills_neither_the_audit_nor_the_way_there(stranger, app, node):
    for _ in range(15):
        assert (await stranger.post("/v1/sessions", content=b"{")).status_code == 422
        assert (await stranger.post("/v1/join", content=b"{")).status_code == 422
    assert [record.outcome for record in node.records] == ["invalid"] * 10
    node.now += 61
    await stranger.post("/v1/join", content=b"{")
    assert len(node.records) == 11


async def test_junk_does_not_hide_what_else_a_stranger_tries(stranger, node):
    for _ in range(15):
        await stranger.post("/v1/sessions", content=b"{")
    await stranger.post("/v1/sessions", json={"username": "nero", "password": "a guess"})
    assert node.records[-1].outcome == "unauthorized"


async def test_of_what_a_token_may_not_do_a_few_tries_are_kept_and_of_another_token_too(stranger, node):
    for role, number in (("viewer", 15), ("operator", 1)):
        for _ in range(number):
            assert (await stranger.get("/v1/audit", headers=bearer(role))).status_code == 403
    assert [record.deed.caller.token for record in node.records] == ["viewer"] * 10 + ["operator"]


async def test_what_an_operator_gets_wrong_is_kept_however_often(api, node):
    for _ in range(15):
        await api.post("/v1/services/shop/web/scale", json={})
    assert len(node.records) == 15


async def test_the_audit_says_whom_a_token_is_for_and_what_a_user_may_do(api, node):
    node.replies[CreateToken] = lambda wanted: Accepted(8, {wanted.id: "created"})
    made = (await api.post("/v1/tokens", json={"name": "ci", "role": "admin", "ttl": 3600})).json()
    await api.post("/v1/tokens", json={"name": "old", "role": "viewer"})
    await api.post("/v1/users", json={"name": "vera", "role": "viewer", "password": "correct horse battery"})
    (_, id, _, first), (_, _, _, second), user = told(node)
    assert (id, first.split("; ")[0]) == (made["id"], "ci, role admin, until 2023-11-14T23:13:20Z")
    assert second.split("; ")[0] == "old, role viewer, for good"
    assert user[:3] == ("users.create", "vera", "done")
    assert user[3].startswith("role viewer; ")


async def test_reading_is_not_kept(api, node):
    await api.get("/v1/nodes")
    await api.get("/v1/nodes/nowhere")
    assert (node.noted, node.deeds) == ([], [])


async def test_who_goes_on_guessing_does_not_fill_the_audit(stranger, node):
    for _ in range(15):
        await stranger.get("/v1/nodes")
    assert len(node.noted) == 10


async def test_the_manager_s_root_is_called_so(node):
    transport = httpx.ASGITransport(create_api(node.backend(), trusted=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as client:
        await client.patch("/v1/nodes/rome", json={"availability": "drain"}, headers={"X-Request-Id": "r1"})
    [asked] = node.deeds
    assert asked.deed.caller == Caller("root", "admin", request="r1")
    assert isinstance(asked.command, UpdateNode)


async def test_the_audit_is_read_newest_first_and_by_an_admin(api, node):
    caller = Caller("ci", "operator", "c1", "10.0.0.9", "r-1")
    node.replies[GetAudit] = lambda wanted: Audit(
        (AuditRecord(Deed(caller, "stacks.deploy", "shop"), "done", NOW, "web: created", 8, 3),)
    )
    body = (await api.get("/v1/audit?who=ci&action=stacks.*&since=5&limit=7&before=9")).json()
    assert body["items"] == [
        {
            "number": 3,
            "at": NOW,
            "who": "ci",
            "role": "operator",
            "token": "c1",
            "address": "10.0.0.9",
            "request": "r-1",
            "action": "stacks.deploy",
            "subject": "shop",
            "outcome": "done",
            "message": "web: created",
            "revision": 8,
        }
    ]
    assert node.commands() == [GetAudit(9, 7, "ci", "stacks.*", "", 5.0)]


# -- parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", [one for one in GUARDED if one.shape != "socket"], ids=lambda one: one.name)
async def test_no_path_overlooks_a_parameter_that_it_does_not_take(api, node, endpoint):
    answer = await api.request(endpoint.method, f"{path_of(endpoint)}?zzzzzz=1")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert 'takes no parameter "zzzzzz"' in answer.json()["detail"]
    assert not node.commands()


@pytest.mark.parametrize(
    ("method", "target", "words"),
    [
        ("POST", "/v1/stacks/shop/rollback?revison=3", 'no parameter "revison"; did you mean "revision"?'),
        ("DELETE", "/v1/nodes/rome?force=maybe", 'must be 1 or 0, not "maybe"'),
        ("DELETE", "/v1/nodes/rome?force=", 'must be 1 or 0, not ""'),
        ("GET", "/v1/me?x=1", "nor any other"),
        ("POST", "/v1/stacks/shop/rollback?revision=3&revision=3", '"revision" is given more than once'),
        ("DELETE", "/v1/nodes/rome?force=0&force=1", '"force" is given more than once'),
        ("GET", f"/v1/tasks?stack={'x' * 257}", '"stack" has 257 characters, and at most 256 are read'),
        ("GET", f"/v1/tasks?filter=name={'[' * 1020}", '"filter" has 1025 characters, and at most 1024 are read'),
        ("GET", f"/v1/nodes?selector={'x' * 1025}", '"selector" has 1025 characters, and at most 1024 are read'),
        ("GET", f"/v1/nodes?{'&'.join(['filter=name=x'] * 51)}", "more than 50 parameters"),
    ],
)
async def test_a_slip_of_the_pen_is_not_another_request(api, node, method, target, words):
    answer = await api.request(method, target)
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
    assert not node.commands()


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("YES", True), ("true", True), ("0", False), ("no", False)])
async def test_a_flag_says_yes_or_no(api, node, value, meant):
    await api.delete(f"/v1/nodes/rome?force={value}")
    assert node.commands() == [RemoveNode("rome", meant, "")]


# -- versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/stacks/shop", "/v1/services/shop/web", "/v1/nodes/rome", "/v1/cluster"])
async def test_a_thing_tells_its_version(api, path):
    tag = (await api.get(path)).headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{16}"', tag)
    assert (await api.get(path)).headers["etag"] == tag


async def test_a_change_may_expect_a_version(api, node):
    tag = (await api.get("/v1/services/shop/web")).headers["etag"]
    await api.post("/v1/services/shop/web/stop", headers={"if-match": tag})
    await api.post("/v1/services/shop/web/stop", headers={"if-match": "*"})
    await api.post("/v1/services/shop/web/stop")
    expected = [asked.expected for asked in node.deeds]
    assert expected == [Expected("service", "shop/web", tag.strip('"')), Expected("service", "shop/web", "*"), None]


async def test_what_is_decided_of_a_service_makes_another_version_of_its_stack(api, node):
    web = node.state.services["shop/web"]

    async def tag_with(*services):
        node.state = replace(node.state, services={one.key: one for one in services})
        return (await api.get("/v1/stacks/shop")).headers["etag"]

    other = replace(web, name="db")
    alike = (web, replace(web, update="updating", update_message="1 of 2"))
    told = [await tag_with(one, other) for one in alike]
    decided = [replace(web, replicas=5), replace(web, stopped=True), replace(web, generation=1)]
    told += [await tag_with(one, other) for one in decided]
    assert told[0] == told[1]
    assert len(set(told)) == 4
    removing = await tag_with(web, replace(other, removing=True))
    assert removing == await tag_with(web), "the end of what was decided before is nobody's decision"
    assert removing != told[0]


def test_no_version_is_that_of_what_is_not_there():
    for version in ("", ANY, "x"):
        told = objection(state(), Expected("draft", "shop", version))
        assert told is not None
        assert told.code == "stale"


async def test_a_stale_version_is_412(api, node):
    node.replies[ScaleService] = Refused("stale", "service shop/web was changed since")
    answer = await api.post("/v1/services/shop/web/scale", json={"replicas": 1}, headers={"if-match": '"old"'})
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")


@pytest.mark.parametrize("tag", ["", '""', "abc", '"a", "b"', '"a","b"', "W/", 'W/""', "*, *", '"a" x'])
async def test_what_is_not_one_version_in_quotes_is_no_expectation(api, node, tag):
    answer = await api.put("/v1/stacks/nothing/draft", json={}, headers={"if-match": tag})
    assert (answer.status_code, "If-Match is one version" in answer.json()["detail"]) == (422, True)
    twice = await api.post("/v1/stacks/shop/stop", headers=[*bearer("admin").items(), *[("if-match", '"a"')] * 2])
    assert twice.status_code == 422
    assert not node.commands()


async def test_a_version_may_come_back_as_a_weak_one(api, node):
    await api.post("/v1/services/shop/web/stop", headers={"if-match": 'W/"a"'})
    assert [asked.expected for asked in node.deeds] == [Expected("service", "shop/web", "a")]


@pytest.mark.parametrize("path", ["/v1/stacks/shop/stop", "/v1/snapshots"])
async def test_no_change_is_made_on_a_condition_that_it_does_not_know(api, node, path):
    answer = await api.post(path, headers={"if-none-match": "*"})
    assert (answer.status_code, "leave out If-None-Match" in answer.json()["detail"]) == (422, True)
    assert not node.commands()


async def test_what_has_no_version_takes_no_expectation(api, node):
    answer = await api.post("/v1/snapshots", headers={"if-match": '"x"'})
    assert (answer.status_code, "leave out If-Match" in answer.json()["detail"]) == (422, True)
    assert not node.commands()


# -- lists -----------------------------------------------------------------------------------------------------------


async def test_a_list_is_filtered_sorted_and_read_page_by_page(api):
    first = (await api.get("/v1/tasks?sort=-slot&limit=1")).json()
    assert ([row["slot"] for row in first["items"]], first["remaining"]) == ([2], 1)
    second = (await api.get("/v1/tasks", params={"sort": "-slot", "limit": 1, "continue": first["continue"]})).json()
    assert ([row["slot"] for row in second["items"]], second["remaining"], second["continue"]) == ([1], 0, "")
    assert [row["slot"] for row in (await api.get("/v1/tasks?filter=slot=2")).json()["items"]] == [2]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("filter=colour=red", 'have no field "colour", but '),
        ("sort=colour", 'have no field "colour"'),
        ("filter=name", "FIELD=VALUE"),
        ("selector=a b", "no requirement of labels"),
        ("continue=x", "another list"),
    ],
)
async def test_what_cannot_be_asked_of_a_list_is_refused_in_words(api, query, words):
    answer = await api.get(f"/v1/nodes?{query}")
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.json()


# -- events that browsers read ---------------------------------------------------------------------------------------


async def test_events_come_as_server_sent_events_after_the_last_that_was_seen(app, node):
    headers = {"accept": "text/event-stream", "last-event-id": "6.1"}
    async with get(app, "/v1/events", headers) as stream:
        text = await stream.text_until("\n\n")
        stream.leave()
    assert text.startswith("id: 6.2\nevent: stack.deployed\ndata: {")
    assert stream.content_type.startswith("text/event-stream")


async def test_a_place_that_is_none_is_refused(api):
    for place in ("x", "1.x", "-1", "1.2.3", "9" * 30):
        assert (await api.get(f"/v1/events?after={place}")).status_code == 422


async def test_a_place_within_a_revision_that_is_gone_is_gone(api, node):
    assert (await api.get("/v1/events?after=2")).status_code == 200
    assert (await api.get("/v1/events?after=2.1")).status_code == 410
