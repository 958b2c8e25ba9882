"""DockerEngine on the real engine: what the contract cannot say for every engine."""

import json
import secrets

import anyio
import pytest

from cluster.container import ContainerSpec
from cluster.privileges import Device, Privileges
from cluster.spec import Resources
from cluster.tuning import Tuning, Ulimit
from engine.docker import DockerEngine
from engine.port import ContainerInfo, EngineUnavailable, Refused
from tests.contract.engine_stage import tar, texts
from tests.engine.registry import docker

pytestmark = [pytest.mark.anyio, pytest.mark.engine, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


@pytest.fixture
def labels() -> dict[str, str]:
    return {"gbnt.test": secrets.token_hex(4)}


@pytest.fixture
async def engine(labels: dict[str, str]):
    engine = DockerEngine()
    yield engine
    for container in await engine.containers(labels):
        await engine.remove(container.id)
    await engine.close()


def spec(labels: dict[str, str], *command: str, word: str = "web", **changes) -> ContainerSpec:
    return ContainerSpec(f"test-{labels['gbnt.test']}-{word}", "busybox", labels, command=command, **changes)


async def ended(engine: DockerEngine, container: str, labels: dict[str, str]) -> ContainerInfo:
    with anyio.fail_after(30):
        async with engine.events(labels) as events:
            while True:
                info = await engine.container(container)
                assert info is not None
                if info.state == "exited":
                    return info
                await anext(events)


async def test_a_log_is_rotated_and_the_engine_does_not_restart(engine: DockerEngine, labels):
    container = await engine.create(spec(labels, "true"))
    config = json.loads(docker("inspect", container))[0]["HostConfig"]
    assert config["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    assert config["RestartPolicy"]["Name"] in ("", "no")


async def test_a_long_line_is_one_line(engine: DockerEngine, labels):
    script = "head -c 100000 /dev/zero | tr '\\0' x; echo; echo after"
    container = await engine.create(spec(labels, "sh", "-c", script))
    await engine.start(container)
    lines = await texts(engine.logs(container, follow=True))
    assert [len(line) for line in lines] == [100_000, len("after")]


async def test_standard_error_and_times_are_told_apart(engine: DockerEngine, labels):
    container = await engine.create(spec(labels, "sh", "-c", "echo good; echo bad >&2"))
    await engine.start(container)
    lines = [line async for lines in engine.logs(container, follow=True) for line in lines]
    assert {(line.stream, line.text) for line in lines} == {("stdout", "good"), ("stderr", "bad")}
    assert all(line.at.endswith("Z") for line in lines)


async def test_a_terminal_has_lines_too(engine: DockerEngine, labels):
    container = await engine.create(spec(labels, "sh", "-c", "echo one; echo two >&2", tty=True))
    await engine.start(container)
    assert await texts(engine.logs(container, follow=True)) == ["one", "two"]


async def test_an_empty_command_clears_the_images_own(engine: DockerEngine, labels):
    tag = f"test-{labels['gbnt.test']}"
    dockerfile = 'FROM busybox\nENTRYPOINT ["echo", "said:"]\nCMD ["the", "default"]\n'
    async for _ in engine.build(tar({"Dockerfile": dockerfile}), tag, {}):
        pass
    try:
        container = await engine.create(ContainerSpec(f"{tag}-web", tag, labels, command=()))
        await engine.start(container)
        assert await texts(engine.logs(container, follow=True)) == ["said:"]
        await engine.remove(container)
    finally:
        docker("image", "rm", tag)


async def test_a_failed_build_names_its_step(engine: DockerEngine, labels):
    context = tar({"Dockerfile": "FROM busybox\nRUN echo trying && exit 7\n"})
    lines: list[str] = []
    with pytest.raises(Refused, match=r"Step 2/2 : RUN echo trying && exit 7.*code: 7"):
        await collect(engine.build(context, f"test-{labels['gbnt.test']}", {}), lines)
    assert "trying" in lines


async def test_running_out_of_memory_is_told(engine: DockerEngine, labels):
    hungry = ("sh", "-c", "tail /dev/zero")
    container = await engine.create(spec(labels, *hungry, resources=Resources(memory=8 << 20)))
    await engine.start(container)
    info = await ended(engine, container, labels)
    assert (info.oom_killed, info.exit_code) == (True, 137)


async def test_many_calls_go_on_beside_many_streams(engine: DockerEngine, labels):
    container = await engine.create(spec(labels, "sleep", "1000"))
    await engine.start(container)
    following = 80
    heard = 0

    async def follow() -> None:
        nonlocal heard
        async for _ in engine.logs(container, follow=True):
            heard += 1

    async def look() -> None:
        assert await engine.container(container) is not None

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for _ in range(following):
                tasks.start_soon(follow)
            async with anyio.create_task_group() as looks:
                for _ in range(64):
                    looks.start_soon(look)
            await engine.kill(container)
    assert heard == 0


async def test_a_cancelled_wait_for_events_leaves_the_engine_usable(engine: DockerEngine, labels):
    with anyio.move_on_after(0.1):
        async with engine.events(labels) as events:
            await anext(events)
    assert (await engine.info()).id


async def test_an_engine_that_is_not_there_is_unavailable_for_every_kind_of_call(tmp_path):
    engine = DockerEngine(f"unix://{tmp_path}/none.sock")
    for call in (engine.info(), engine.containers({}), engine.start("web"), engine.stop("web", 1.0)):
        with pytest.raises(EngineUnavailable):
            await call
    with pytest.raises(EngineUnavailable):
        await collect(engine.logs("web"), [])
    await engine.close()


async def collect(stream, into: list[str]) -> None:
    async for item in stream:
        into.append(item)  # noqa: PERF401 - what came before a failure counts


LOOK = """
ulimit -n; df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2; cat /proc/sys/net/core/somaxconn
cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status | cut -f 2; test -c /dev/mine && echo there
id -G; hostname -f; cat /etc/resolv.conf | grep options
"""


async def test_what_is_tuned_and_opened_is_so_inside(engine: DockerEngine, labels):
    made = spec(
        labels,
        "sh",
        "-c",
        LOOK,
        tuning=Tuning(
            shm_size=8 << 20,
            ulimits=(Ulimit("nofile", 123, 456),),
            sysctls={"net.core.somaxconn": "77"},
            oom_score_adj=99,
        ),
        privileges=Privileges(devices=(Device("/dev/null", "/dev/mine", "rw"),), security_opt=("no-new-privileges",)),
        group_add=("4321",),
        hostname="web",
        domainname="shop.example",
        dns_options=("ndots:3",),
        platform="linux/amd64",
    )
    container = await engine.create(made)
    await engine.start(container)
    said = await texts(engine.logs(container, follow=True))
    assert said[:6] == ["123", "8192", "77", "99", "1", "there"]
    assert "4321" in said[6].split()
    assert said[7:] == ["web.shop.example", "options ndots:3"]


async def test_another_platform_than_the_images_is_refused(engine: DockerEngine, labels):
    with pytest.raises(Refused, match="platform"):
        await engine.create(spec(labels, "true", platform="linux/s390x"))
