"""Commands in containers, over a WebSocket."""

import anyio
import orjson
import pytest

from actors import protocol
from actors.stream import Stream
from cluster.container import ExecSpec
from engine.port import EngineUnavailable
from portal.api.app import create_api
from portal.api.exec import READ_AHEAD
from portal.backend import EngineFailed
from supervisor.address import Address
from supervisor.errors import AskTimeout
from tests.portal.build import NODE, FakeNode, bearer, state, task
from tests.portal.socket_driver import talk

pytestmark = pytest.mark.anyio

PATH = "/v1/tasks/shop-web-1/exec"


@pytest.fixture
def app(node: FakeNode):
    node.command = echo
    return create_api(node.backend())


async def echo(stream: Stream) -> protocol.Exited:
    """Tell whatever is told; typed is copied to standard output, and its end to standard error."""
    while True:
        match await stream.receive():
            case protocol.Typed(data):
                await stream.send(protocol.Printed("stdout", data))
            case protocol.Resized(rows, columns):
                await stream.send(protocol.Printed("stderr", b"%d by %d" % (rows, columns)))
            case protocol.TypedAll():
                return protocol.Exited(3)


async def test_what_is_typed_and_written_goes_both_ways_until_the_exit(app, node):
    wanted = {"command": ["sh", "-c", "true"], "tty": True, "stdin": True, "rows": 24, "columns": 80}
    more = {"environment": {"A": "b"}, "user": "1000", "working_dir": "/srv"}
    async with talk(app, PATH) as ours:
        await ours.say({**wanted, **more})
        await ours.say(b"\0hello")
        assert sorted([await ours.hear(), await ours.hear()], key=str) == [b"\1hello", {"taken": 5}]
        await ours.say({"resize": {"rows": 40, "columns": 120}})
        assert await ours.hear() == b"\x0240 by 120"
        await ours.say({"eof": True})
        assert await ours.rest() == [{"exit": 3}]
    spec = ExecSpec(("sh", "-c", "true"), True, True, {"A": "b"}, "1000", "/srv", 24, 80)
    assert node.ran == [("web1-container", spec)]
    assert node.let_go == 1


async def test_what_could_not_be_done_is_the_last_message(app, node):
    async def fails(stream: Stream) -> object:
        raise EngineUnavailable("the engine is away")

    for command, told in ((fails, "the engine is away"), (EngineFailed("no way leads there"), "no way leads there")):
        node.command = command
        async with talk(app, PATH) as ours:
            await ours.say({"command": ["true"]})
            assert await ours.rest() == [{"error": told, "code": "conflict"}]


async def test_a_stream_that_breaks_is_no_exit(app, node):
    async def breaks(stream: Stream) -> object:
        await stream.send(protocol.Printed("stdout", b"so far"))
        stream.close()  # type: ignore[attr-defined]
        return None

    node.command = breaks
    async with talk(app, PATH) as ours:
        await ours.say({"command": ["true"]})
        said, last = await ours.rest()
        assert said == b"\1so far"
        assert isinstance(last, dict)
        assert last["code"] == "unavailable"


@pytest.mark.parametrize(
    "message",
    [
        '{"command": []}',
        '{"command": "sh"}',
        '{"command": ["sh"], "detach": true}',
        "{",
        b"\0sh",
    ],
)
async def test_what_is_no_command_is_refused_in_words(app, node, message):
    async with talk(app, PATH) as ours:
        await ours.say(message)
        [last] = await ours.rest()
        assert isinstance(last, dict)
        assert last["code"] == "invalid"
    assert node.ran == []


@pytest.mark.parametrize("message", [b"", b"\7what", '{"size": 3}', "["])
async def test_what_is_no_message_ends_the_command(app, node, message):
    async with talk(app, PATH) as ours:
        await ours.say({"command": ["cat"]})
        await ours.say(message)
        [last] = await ours.rest()
        assert isinstance(last, dict)
        assert last["code"] == "invalid"
    assert node.let_go == 1


async def test_a_client_that_leaves_lets_go_of_the_command_though_it_read_nothing(app, node):
    begun = anyio.Event()

    async def deaf(stream: Stream) -> object:
        begun.set()
        await anyio.sleep_forever()
        return None

    node.command = deaf
    async with talk(app, PATH) as ours:
        await ours.say({"command": ["sleep", "1000"], "stdin": True})
        await begun.wait()
        for _ in range(READ_AHEAD // 2):
            await ours.say(b"\0x")
        await ours.leave()
        await ours.ended.wait()
    assert node.let_go == 1


async def test_a_manager_that_stops_says_so(app, node):
    async with talk(app, PATH) as ours:
        await ours.say({"command": ["cat"]})
        await ours.say(b"\0x")
        await ours.hear()
        await ours.hear()
        ours.closing.set()
        assert await ours.rest() == [
            {"error": "the manager stops; the command goes on by itself", "code": "unavailable"}
        ]
    assert node.let_go == 1


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("nobody", 401), ("operator", 0), ("admin", 0)])
async def test_who_only_looks_may_run_nothing(app, role, status):
    async with talk(app, PATH, bearer(role)) as ours:
        if status:
            await ours.ended.wait()
            assert orjson.loads(ours.problem)["status"] == status
        else:
            await ours.say({"command": ["true"]})
            await ours.say({"eof": True})
            assert await ours.rest() == [{"exit": 3}]
        assert ours.status == status


async def test_without_a_token_there_is_no_socket(app):
    async with talk(app, PATH, {}) as ours:
        await ours.ended.wait()
        assert ours.status == 401


async def test_the_admin_socket_needs_no_token(node):
    node.command = echo
    async with talk(create_api(node.backend(), trusted=True), PATH, {}) as ours:
        await ours.say({"command": ["true"]})
        await ours.say({"eof": True})
        assert await ours.rest() == [{"exit": 3}]


async def test_a_task_that_does_not_run_is_refused_before_the_socket_is_open(app, node):
    node.state = state(task(1, state="stopped", message="was stopped"), task(2, container_id=""))
    for path, status, told in (
        (PATH, 409, "shop-web-1 has no container that runs: was stopped"),
        ("/v1/tasks/shop-web-2/exec", 409, "shop-web-2 has no container that runs"),
        ("/v1/tasks/shop-web-9/exec", 404, 'there is no task "shop-web-9"'),
    ):
        async with talk(app, path) as ours:
            await ours.ended.wait()
            assert (ours.status, told in orjson.loads(ours.problem)["detail"]) == (status, True)


async def test_another_protocol_is_refused(app):
    async with talk(app, PATH, protocol="chat") as ours:
        await ours.ended.wait()
        assert (ours.status, "gbnt.exec.v1" in orjson.loads(ours.problem)["detail"]) == (422, True)


async def test_the_audit_says_what_runs_while_it_does_and_then_how_it_ended(app, node):
    async with talk(app, PATH) as ours:
        await ours.say({"command": ["mysql", "--password=hunter2"]})
        await ours.say(b"\0x")
        await ours.hear()
        await ours.hear()
        assert audit(node) == [("begun", "runs mysql")]
        await ours.say({"eof": True})
        await ours.rest()
        await ours.ended.wait()
    assert audit(node) == [("begun", "runs mysql"), ("done", "runs mysql; exit 3")]
    assert {record.deed.action for record in node.records} == {"exec.run"}


async def test_nothing_runs_that_nobody_could_make_a_record_of(app, node):
    node.replies[protocol.NoteDeed] = AskTimeout(Address(NODE, "senate"), "a note")
    async with talk(app, PATH) as ours:
        await ours.say({"command": ["true"]})
        [last] = await ours.rest()
        await ours.ended.wait()
    assert isinstance(last, dict)
    assert (last["code"], "no record of it could be kept" in last["error"]) == ("unavailable", True)
    assert node.ran == []


async def test_the_audit_says_who_left_and_what_could_not_be_run(app, node):
    async with talk(app, PATH) as ours:
        await ours.say({"command": ["cat"]})
        await ours.leave()
        await ours.ended.wait()
    node.command = EngineFailed("no way leads there")
    async with talk(app, PATH) as ours:
        await ours.say({"command": ["cat"]})
        await ours.rest()
        await ours.ended.wait()
    async with talk(app, "/v1/tasks/shop-web-9/exec") as ours:
        await ours.ended.wait()
    assert [outcome for outcome, _ in audit(node)] == ["begun", "abandoned", "begun", "conflict", "not_found"]
    assert audit(node)[3][1] == "runs cat; no way leads there"


def audit(node) -> list[tuple[str, str]]:
    return [(record.outcome, record.message) for record in node.records]
