"""What DockerEngine does with engines that are old, new, full, or break off in the middle."""

import os
import threading
from base64 import urlsafe_b64decode
from pathlib import Path

import anyio
import orjson
import pytest
from aiohttp import web

from actors import lookout
from cluster.binds import Presence
from cluster.capacity import Gpus
from cluster.container import ContainerSpec, Endpoint
from cluster.registries import Credential
from engine import docker_disk, docker_paths
from engine.docker import DockerEngine
from engine.docker_disk import DataDisk
from engine.docker_paths import HostPaths
from engine.port import AddressTaken, DiskFull, EngineUnavailable, ImageDenied, Refused
from tests.engine.stub import INFO, VERSION, StubEngine, broken_after, ended_after, endless, silent

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

CREATED = b'{"Type":"container","Action":"create","Actor":{"ID":"c1","Attributes":{}},"timeNano":1500000000}\n'
TWO_NETWORKS = ContainerSpec("web", "busybox", {}, endpoints=(Endpoint("front", "10.0.0.2"), Endpoint("back")))


@pytest.mark.parametrize(
    ("newest", "oldest", "agreed"), [("1.41", "1.12", "1.41"), ("1.52", "1.44", "1.52"), ("1.70", "1.44", "1.52")]
)
async def test_the_newest_version_that_both_know_is_spoken(tmp_path: Path, newest: str, oldest: str, agreed: str):
    stub = StubEngine({**VERSION, "ApiVersion": newest, "MinAPIVersion": oldest})
    async with stub.serving(tmp_path) as engine:
        info = await engine.info()
        assert info.api_version == agreed
        assert stub.asked[-1][1] == f"/v{agreed}/info"
        assert info.labels == {"disk": "ssd", "rack": "7"}


async def test_gpus_and_the_disk_of_the_engines_folder_are_seen(tmp_path: Path):
    declared = [{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 2}}]
    found = {**INFO, "DockerRootDir": str(tmp_path), "GenericResources": declared, "Runtimes": {"nvidia": {}}}
    async with StubEngine(answers={"GET info": found}).serving(tmp_path) as engine:
        disk = await engine.disk()
        assert (disk.path, disk.unknown, 0 < disk.free <= disk.total) == (str(tmp_path), "", True)
        info = await engine.info()
        assert (info.gpus, info.gpu_runtime) == ((Gpus("gpu", "declared", 2),), "nvidia")


async def test_paths_are_looked_for_where_the_engine_has_the_files_that_are_here(tmp_path: Path):
    there, gone = str(tmp_path), str(tmp_path / "gone")
    (tmp_path / "dangling").symlink_to("nowhere")
    async with StubEngine().serving(tmp_path) as engine:
        assert await engine.paths((there, gone, str(tmp_path / "dangling"))) == Presence((gone,))
    assert "reached at tcp://192.0.2.1" in (await HostPaths("tcp://192.0.2.1:2375").look((there,))).unknown


async def test_where_the_engine_has_other_files_no_path_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.path.samestat", lambda ours, theirs: False)
    async with StubEngine().serving(tmp_path) as engine:
        found = await engine.paths((str(tmp_path / "gone"),))
    assert (found.missing, "does not see its engine's files" in found.unknown) == ((), True)


async def test_a_file_system_that_hangs_leaves_paths_unknown_and_keeps_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(docker_paths, "PATIENCE", 0.05)
    stuck, looks = threading.Event(), list[str]()

    def hang(path: str) -> bool:
        looks.append(path)
        return not stuck.wait(60)

    monkeypatch.setattr(docker_paths, "_same_files", hang)
    paths = HostPaths("unix:///socket")
    for _ in range(3):
        assert "does not answer" in (await paths.look((str(tmp_path),))).unknown
    with anyio.fail_after(30):
        while not looks:  # its thread may begin later than nobody waits for it any more
            await anyio.sleep(0.01)
    assert looks == ["/socket"]
    stuck.set()


async def test_a_disk_that_cannot_be_seen_is_unknown_and_says_why(tmp_path: Path):
    gone = str(tmp_path / "gone")
    async with StubEngine(answers={"GET info": {**INFO, "DockerRootDir": gone}}).serving(tmp_path) as engine:
        disk = await engine.disk()
    assert (disk.path, disk.total, f"gbnt does not see {gone} (No such file or directory)" in disk.unknown) == (
        gone,
        0,
        True,
    )
    afar = await DataDisk("tcp://192.0.2.1:2375").look("/")
    assert (afar.total, "reached at tcp://192.0.2.1:2375" in afar.unknown) == (0, True)


async def test_a_file_system_that_hangs_is_unknown_and_keeps_one_thread_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    answers, asked = threading.Event(), list[str]()

    def hang(root: str) -> os.statvfs_result:
        asked.append(root)
        answers.wait()
        return statvfs(root)

    statvfs = os.statvfs
    monkeypatch.setattr(os, "statvfs", hang)
    monkeypatch.setattr(docker_disk, "PATIENCE", 0.05)
    disk = DataDisk("unix:///socket")
    try:
        for _ in range(2):
            assert "does not answer" in (await disk.look(str(tmp_path))).unknown
        assert asked == [str(tmp_path)]
    finally:
        answers.set()
    monkeypatch.setattr(docker_disk, "PATIENCE", 10.0)
    with anyio.fail_after(10):
        while (await disk.look(str(tmp_path))).unknown:
            await anyio.sleep(0.01)


@pytest.mark.parametrize(("newest", "oldest"), [("1.40", "1.12"), ("1.99", "1.60")])
async def test_an_engine_of_another_age_is_refused_in_words(tmp_path: Path, newest: str, oldest: str):
    stub = StubEngine({**VERSION, "ApiVersion": newest, "MinAPIVersion": oldest})
    async with stub.serving(tmp_path) as engine:
        with pytest.raises(Refused, match=f"speaks API {oldest} to {newest}; gbnt speaks 1.41 to 1.52"):
            await engine.info()


async def test_the_version_is_agreed_anew_after_the_engine_was_away(tmp_path: Path):
    stub = StubEngine(answers={"GET images/busybox/json": broken_after()})
    async with stub.serving(tmp_path) as engine:
        with pytest.raises(EngineUnavailable):
            await engine.image("busybox")
        stub.version = {**VERSION, "ApiVersion": "1.47"}
        assert (await engine.info()).api_version == "1.47"
        assert await engine.container("web") is None
        assert stub.asked[-1][1] == "/v1.47/containers/web/json"


async def test_all_networks_are_attached_at_the_creation_where_the_engine_can(tmp_path: Path):
    stub = StubEngine(answers={"POST containers/create": {"Id": "c1"}})
    async with stub.serving(tmp_path) as engine:
        assert await engine.create(TWO_NETWORKS) == "c1"
        _, path, body = stub.asked[-1]
        assert path.endswith("/containers/create")
        assert set(body["NetworkingConfig"]["EndpointsConfig"]) == {"front", "back"}


async def test_a_container_that_misses_a_network_is_taken_back(tmp_path: Path):
    stub = StubEngine(
        {**VERSION, "ApiVersion": "1.41", "MinAPIVersion": "1.12"},
        {
            "POST containers/create": {"Id": "c1"},
            "POST networks/back/connect": (403, {"message": "Address already in use"}),
            "DELETE containers/c1": (204, None),
        },
    )
    async with stub.serving(tmp_path) as engine:
        with pytest.raises(AddressTaken, match="container web"):
            await engine.create(TWO_NETWORKS)
        assert [f"{method} {path}" for method, path, _ in stub.asked[-2:]] == [
            "POST /v1.41/networks/back/connect",
            "DELETE /v1.41/containers/c1",
        ]


async def test_a_creation_that_is_cancelled_half_way_is_taken_back(tmp_path: Path):
    stub = StubEngine(
        {**VERSION, "ApiVersion": "1.41", "MinAPIVersion": "1.12"},
        {
            "POST containers/create": {"Id": "c1"},
            "POST networks/back/connect": endless,
            "DELETE containers/c1": (204, None),
        },
    )
    async with stub.serving(tmp_path) as engine:
        with anyio.move_on_after(0.1):
            await engine.create(TWO_NETWORKS)
        assert stub.asked[-1][:2] == ("DELETE", "/v1.41/containers/c1")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"<html>  <h1>Welcome to the router", '"<html> <h1>Welcome to the router"'),
        (b'{"Config": {"Env": ["PASSWORD=artifex', "JSON that is broken"),
        (b"\xff\xfe", "nothing that can be read"),
    ],
)
async def test_what_answers_no_json_is_no_engine_and_says_what_it_said(tmp_path: Path, said: bytes, told: str):
    stub = StubEngine(
        answers={"GET containers/web/json": ended_after(said), "POST images/create": ended_after(b"{}\n", said)}
    )
    async with stub.serving(tmp_path) as engine:
        with pytest.raises(EngineUnavailable) as one:
            await engine.container("web")
        with pytest.raises(EngineUnavailable) as other:
            async for _ in engine.pull("busybox"):
                pass
        said_of = f"what answers at unix://{tmp_path}/engine.sock is no Docker Engine: it said"
        assert {str(one.value), str(other.value)} == {f"{said_of} {told}; see what listens there"}


async def test_a_refusal_that_is_no_json_is_no_engine_s(tmp_path: Path):
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=502, headers={"Content-Type": "application/json"}, body=b"Bad Gateway")

    async with StubEngine(answers={"GET containers/web/json": refuse}).serving(tmp_path) as engine:
        with pytest.raises(EngineUnavailable, match='it said "Bad Gateway"'):
            await engine.container("web")


async def test_a_broken_event_stream_is_an_unavailable_engine(tmp_path: Path):
    stub = StubEngine(answers={"GET events": broken_after(CREATED)})
    async with stub.serving(tmp_path) as engine, engine.events({}) as events:
        assert (await anext(events)).at == 1.5
        with pytest.raises(EngineUnavailable):
            await anext(events)


async def test_an_event_stream_that_ends_is_an_unavailable_engine_too(tmp_path: Path):
    stub = StubEngine(answers={"GET events": ended_after(CREATED[:20], CREATED[20:])})
    async with stub.serving(tmp_path) as engine, engine.events({}) as events:
        assert (await anext(events)).action == "create"
        with pytest.raises(EngineUnavailable, match="ended its event stream"):
            await anext(events)


async def test_a_time_out_of_the_caller_stays_its_own(tmp_path: Path):
    async with StubEngine(answers={"GET events": endless}).serving(tmp_path) as engine:
        with pytest.raises(TimeoutError):
            await first_event(engine, within=0.05)


async def test_a_look_at_an_engine_that_hangs_ends_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 0.05)
    stub = StubEngine(answers={"GET containers/json": silent})
    async with stub.serving(tmp_path) as engine:
        await engine.info()
        assert await lookout.Lookout(engine, "legion").look() == lookout.EngineDown(lookout.HANGS, hangs=True)


async def test_a_log_that_breaks_off_is_an_unavailable_engine(tmp_path: Path):
    stub = StubEngine(
        answers={
            "GET containers/web/json": {"Config": {"Tty": False}},
            "GET containers/web/logs": broken_after(b"\x01\0\0\0\0\0\0\x07at one\n"),
        }
    )
    read: list[str] = []
    async with stub.serving(tmp_path) as engine:
        with pytest.raises(EngineUnavailable):
            await follow(engine, "web", into=read)
    assert read == ["one"]


async def test_a_full_disk_is_told_from_within_a_pull(tmp_path: Path):
    full = b'{"status":"Extracting","id":"a"}\n{"error":"write /var/lib/docker/tmp/x: no space left on device"}\n'
    stub = StubEngine(answers={"POST images/create": ended_after(full)})
    async with stub.serving(tmp_path) as engine:
        with pytest.raises(DiskFull):
            async for _ in engine.pull("busybox"):
                pass


async def test_a_pull_adds_its_layers_up(tmp_path: Path):
    told = (
        b'{"status":"Pulling from library/busybox","id":"latest"}\n'
        b'{"status":"Downloading","id":"a","progressDetail":{"current":10,"total":100}}\n'
        b'{"status":"Downloading","id":"b","progressDetail":{"current":5,"total":50}}\n'
        b'{"status":"Download complete","id":"a","progressDetail":{}}\n'
        b'{"status":"Pull complete","id":"b","progressDetail":{}}\n'
    )
    stub = StubEngine(answers={"POST images/create": ended_after(told)})
    async with stub.serving(tmp_path) as engine:
        steps = [(step.done, step.total) async for step in engine.pull("busybox")]
    assert steps == [(0, 0), (10, 100), (15, 150), (105, 150), (150, 150)]


async def test_an_image_that_is_denied_is_told_from_one_that_is_missing(tmp_path: Path):
    denied = {"message": "pull access denied for shop, repository does not exist or may require 'docker login': denied"}
    stub = StubEngine(answers={"POST images/create": (404, denied)})
    async with stub.serving(tmp_path) as engine:
        with pytest.raises(ImageDenied, match="the registry denies image shop"):
            async for _ in engine.pull("shop"):
                pass


@pytest.mark.parametrize(
    ("credential", "shown"),
    [
        (None, None),
        (
            Credential("nero", "secret?>"),
            {"serveraddress": "hub.example", "username": "nero", "password": "secret?>"},
        ),
        (Credential("<token>", "t-1"), {"serveraddress": "hub.example", "identitytoken": "t-1"}),
    ],
)
async def test_a_registry_is_shown_the_credential_in_a_header_and_nowhere_else(tmp_path: Path, credential, shown):
    headers: list[str | None] = []

    async def distribution(request: web.Request) -> web.StreamResponse:
        headers.append(request.headers.get("X-Registry-Auth"))
        return web.json_response({"Descriptor": {"digest": "sha256:abc"}})

    stub = StubEngine(answers={"GET distribution/hub.example/shop:latest/json": distribution})
    async with stub.serving(tmp_path) as engine:
        assert await engine.digest("hub.example/shop", credential) == "sha256:abc"
    [header] = headers
    assert (orjson.loads(urlsafe_b64decode(header)) if header else None) == shown
    assert "secret" not in str(stub.asked)
    assert "secret" not in repr(credential)


async def test_a_missing_socket_says_how_to_start_the_engine(tmp_path: Path):
    engine = DockerEngine(f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineUnavailable, match=r"none\.sock does not answer; start it with `systemctl start docker`"):
        await engine.info()
    await engine.close()


async def first_event(engine: DockerEngine, within: float) -> None:
    async with engine.events({}) as events:
        with anyio.fail_after(within):
            await anext(events)


async def follow(engine: DockerEngine, container: str, into: list[str]) -> None:
    async for lines in engine.logs(container, follow=True):
        into += [line.text for line in lines]
