"""The doors over real sockets and TLS, as actors of a real system."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import asynccontextmanager
from functools import partial

import anyio
import anyio.lowlevel
import anyio.streams.tls
import httpx
import orjson
import pytest

from actors.protocol import Committed
from portal.api.app import create_api
from portal.door import Door, Renew
from portal.server import serve, tls_context
from portal.sockets import DoorError, listen, listen_unix
from supervisor.errors import StartFailed
from supervisor.spec import ChildSpec, Restart, SupervisorSpec
from supervisor.system import System
from tests.portal.build import bearer, event, state
from transport.identity import ClusterCA

pytestmark = pytest.mark.anyio


@pytest.fixture
def ca(tmp_path):
    return ClusterCA(tmp_path / "pki", "legion", time.time)


@asynccontextmanager
async def served(node, tls=None, trusted=False):
    """The API on a free port of this machine."""
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    async with anyio.create_task_group() as group:
        group.start_soon(serve, create_api(node.backend(), trusted=trusted), sock, tls)
        yield port
        group.cancel_scope.cancel()


def client(port, ca, **options):
    trust = ssl.create_default_context(cadata=ca.certificate.decode())
    return httpx.AsyncClient(
        verify=trust, base_url=f"https://127.0.0.1:{port}", headers=bearer("admin"), timeout=5, **options
    )


@pytest.mark.parametrize("http2", [False, True])
async def test_a_client_that_pins_the_authority_is_served(node, ca, http2):
    async with served(node, tls_context(ca.server_certificate([], []))) as port, client(port, ca, http2=http2) as api:
        answer = await api.get("/v1/cluster")
        assert (answer.status_code, answer.json()["name"]) == (200, "legion")
        assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        assert "server" not in answer.headers


async def test_an_older_tls_is_refused(node, ca):
    old = ssl.create_default_context(cadata=ca.certificate.decode())
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with served(node, tls_context(ca.server_certificate([], []))) as port, httpx.AsyncClient(verify=old) as api:
        with pytest.raises(httpx.ConnectError):
            await api.get(f"https://127.0.0.1:{port}/v1/cluster")


@pytest.mark.parametrize("http2", [False, True])
async def test_lines_arrive_one_by_one_and_leaving_ends_the_work_behind_them(node, ca, http2):
    path = "/v1/events?follow=1&after=4"
    async with served(node, tls_context(ca.server_certificate([], []))) as port:
        async with client(port, ca, http2=http2) as api, api.stream("GET", path) as answer:
            lines = answer.aiter_lines()
            for _ in range(3):
                await anext(lines)
            node.tell(Committed(state(revision=8), (event(8),)))
            assert '"revision":8' in await anext(lines)
            assert node.following == 1
        with anyio.fail_after(5):
            await node.nobody_follows.wait()


@pytest.mark.parametrize("http2", [False, True])
async def test_a_refused_upload_is_told_why_and_its_connection_goes_on(node, ca, http2):
    async def upload():
        for _ in range(64):
            yield b"x" * (1 << 16)

    async with served(node, tls_context(ca.server_certificate([], []))) as port, client(port, ca, http2=http2) as api:
        with anyio.fail_after(10):
            for _ in range(3):
                try:
                    answer = await api.post(
                        "/v1/builds?tag=x", content=upload(), headers={"authorization": "Bearer no"}
                    )
                except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
                    continue
                assert answer.status_code == 401
            assert (await api.get("/v1/cluster")).status_code == 200


async def test_cancellation_lets_an_open_request_end(node):
    begun, go_on = anyio.Event(), anyio.Event()

    async def slow(path, message, timeout):
        begun.set()
        await go_on.wait()
        return node.state

    node.ask = slow
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    async with anyio.create_task_group() as outer:
        scope = anyio.CancelScope()
        answers = []

        async def run():
            with scope:
                await serve(create_api(node.backend(), trusted=True), sock)

        async def request():
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as api:
                answers.append((await api.get("/v1/cluster")).status_code)

        outer.start_soon(run)
        outer.start_soon(request)
        await begun.wait()
        scope.cancel()
        await anyio.lowlevel.checkpoint()
        go_on.set()
    assert answers == [200]
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


@pytest.mark.parametrize("http2", [False, True])
async def test_a_stream_ends_with_a_word_when_the_manager_stops(node, ca, http2):
    lines = []
    async with anyio.create_task_group() as readers:

        async def read(port):
            async with client(port, ca, http2=http2) as api, api.stream("GET", "/v1/events?follow=1") as answer:
                async for line in answer.aiter_lines():
                    lines.append(orjson.loads(line))
                    if len(lines) == 3:
                        reading.set()

        reading = anyio.Event()
        async with served(node, tls_context(ca.server_certificate([], []))) as port:
            readers.start_soon(read, port)
            await reading.wait()
    assert lines[3:] == [{"error": "the manager stops; ask again when it is back", "code": "unavailable"}]


@asynccontextmanager
async def system_of(*doors: ChildSpec):
    system = System("rome-1")
    async with anyio.create_task_group() as group:
        portal = ChildSpec("portal", SupervisorSpec(children=doors))
        await group.start(partial(system.run, SupervisorSpec(children=(portal,))))
        yield system
        system.stop()


def port_of(system, path):
    [info] = system.inspect(path)
    return int(str(info.detail["listens"]).rpartition(":")[2])


async def test_a_door_is_open_once_its_actor_has_started(node, ca):
    certificate = partial(ca.server_certificate, [], [])
    door = ChildSpec("api", lambda: Door(create_api(node.backend()), lambda: listen("127.0.0.1", 0), certificate))
    async with system_of(door) as system, client(port_of(system, "portal/api"), ca) as api:
        assert (await api.get("/v1/cluster")).status_code == 200


async def test_a_door_on_a_unix_socket_serves_whom_the_file_lets_in(node, tmp_path):
    path = tmp_path / "admin.sock"
    door = ChildSpec("admin", lambda: Door(create_api(node.backend(), trusted=True), lambda: listen_unix(path)))
    async with system_of(door):
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as api:
            assert (await api.get("/v1/tokens")).status_code == 200


async def test_a_port_that_is_taken_fails_the_start_with_its_sentence(node):
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        door = ChildSpec("api", lambda: Door(create_api(node.backend()), lambda: listen("127.0.0.1", port)))
        with pytest.RaisesGroup(StartFailed, flatten_subgroups=True) as failed:
            async with system_of(door):
                pass
    assert f"port {port} on 127.0.0.1 is taken by" in str(failed.value.exceptions[0])
    assert DoorError.__name__ in str(failed.value.exceptions[0])


async def test_a_renewed_certificate_is_shown_to_new_connections(node, tmp_path):
    now = time.time()
    clock = [now - 60 * 24 * 3600]
    authority = ClusterCA(tmp_path / "pki", "legion", lambda: clock[0])
    certificate = partial(authority.server_certificate, [], [])
    door = ChildSpec("api", lambda: Door(create_api(node.backend()), lambda: listen("127.0.0.1", 0), certificate))
    async with system_of(door) as system:
        port = port_of(system, "portal/api")
        before = await shown(port, authority)
        clock[0] = now
        system.ref("portal/api").tell(Renew())
        with anyio.fail_after(5):
            while await shown(port, authority) == before:
                await anyio.lowlevel.checkpoint()


async def shown(port, authority):
    """The certificate that the server shows."""
    trust = ssl.create_default_context(cadata=authority.certificate.decode())
    stream = await anyio.connect_tcp("127.0.0.1", port, ssl_context=trust, tls_standard_compatible=False)
    async with stream:
        return stream.extra(anyio.streams.tls.TLSAttribute.peer_certificate_binary)


async def test_a_door_that_falls_opens_again(node):
    class Falling(Door):
        async def receive(self, message, ctx):
            raise RuntimeError("a fault for the test")

    port = 0

    def bind():
        nonlocal port
        sock = listen("127.0.0.1", port)
        port = sock.getsockname()[1]
        return sock

    door = ChildSpec("api", lambda: Falling(create_api(node.backend(), trusted=True), bind), restart=Restart.PERMANENT)
    async with system_of(door) as system:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as api:
            assert (await api.get("/v1/cluster")).status_code == 200
        system.ref("portal/api").tell(Renew())
        with anyio.fail_after(10):
            while not (found := system.inspect("portal/api")) or found[0].restarts == 0 or found[0].state != "running":
                await anyio.sleep(0.01)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as api:
            assert (await api.get("/v1/cluster")).status_code == 200
