"""The engine's contract on each engine there is: the fake one on both event loops, and Docker."""

from collections.abc import Iterator

import pytest

from engine.docker import DockerEngine
from engine.fake import FakeEngine, FakeImage
from engine.fake_exec import Typing
from tests.contract.engine_contract import EngineContract
from tests.contract.engine_stage import Program, Programs, Stage
from tests.engine.registry import NERO, Registry, docker

FAKE_IMAGES = {
    "stays": FakeImage(local=True),
    "deaf": FakeImage(local=True, stops_in=None),
    "fails": FakeImage(local=True, runs_for=0.0, exit_code=3),
    "talks": FakeImage(local=True, runs_for=0.0, output=("one", "two", "three")),
    "well": FakeImage(local=True, healthy_after=0.01),
    "sick": FakeImage(local=True, healthy_after=None, unhealthy_after=0.01),
    "absent": FakeImage(
        local=True, refuses='the image has no command "no-such-command"; correct command or entrypoint'
    ),
    "pulled": FakeImage(),
    "hub.example/private:latest": FakeImage(),
}


def copy(typing: Typing) -> int | None:
    if taken := typing.take():
        typing.write(taken)
    return 0 if typing.at_end else None


def speak(typing: Typing) -> int | None:
    typing.write(b"out\n")
    typing.write(b"err\n", "stderr")
    return 3


def measure(typing: Typing) -> int | None:
    taken = typing.take()
    if b"\n" in taken:
        typing.write(b"%d %d\r\n" % (typing.rows, typing.columns))
    return 0 if b"\x04" in taken else None


@pytest.mark.anyio
class TestFakeEngine(EngineContract):
    @pytest.fixture
    def stage(self) -> Stage:
        engine = FakeEngine()
        engine.missing_paths = frozenset({Stage.nowhere})
        engine.images.update(FAKE_IMAGES)
        engine.registry.accounts["hub.example"] = NERO
        behaving = {word: Program(word) for word, image in FAKE_IMAGES.items() if image.local}
        engine.commands.update(copy=copy, speak=speak, measure=measure)
        return Stage(
            engine,
            Programs(
                **behaving,
                pulled="pulled",
                unheard_of="unheard-of",
                private="hub.example/private:latest",
                owner=NERO,
                base="stays",
                copy=("copy",),
                speak=("speak",),
                measure=("measure",),
            ),
        )


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry.serving(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def private_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry.serving(tmp_path_factory.mktemp("private"), private=True) as registry:
        yield registry


@pytest.mark.anyio
@pytest.mark.engine
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
class TestDockerEngine(EngineContract):
    @pytest.fixture
    async def stage(self, registry: Registry, private_registry: Registry):
        engine = DockerEngine()
        pulled = registry.push("busybox:latest", "pulled")
        private = private_registry.push("busybox:latest", "private")
        programs = Programs(
            stays=_shell("trap 'exit 143' TERM; sleep 1000 & wait"),
            deaf=Program("busybox", ("sleep", "1000")),
            fails=_shell("exit 3"),
            talks=_shell("echo one; echo two; echo three"),
            well=Program("busybox", ("sleep", "1000")),
            sick=Program("busybox", ("sleep", "1000")),
            absent=Program("busybox", ("no-such-command",)),
            pulled=pulled,
            unheard_of=f"{registry.address}/unheard-of:1",
            private=private,
            owner=NERO,
            base="busybox",
            copy=("cat",),
            speak=("sh", "-c", "echo out; echo err >&2; exit 3"),
            measure=("sh", "-c", "stty size; while read line; do stty size; done"),
        )
        stage = Stage(engine, programs)
        yield stage
        await stage.clean()
        for image in (pulled, stage.name("built")):
            if await engine.image(image) is not None:
                docker("image", "rm", image)
        busybox = await engine.image("busybox")
        assert busybox is not None
        for image in busybox.digests:
            if image.startswith((registry.address, private_registry.address)):
                docker("image", "rm", image)
        await engine.close()


def _shell(script: str) -> Program:
    return Program("busybox", ("sh", "-c", script))
