"""The container engine port in memory, for tests and simulations. Runs on asyncio and on trio.

It starts no task of its own: what is planned happens when a call, or a stream that somebody reads, finds it due. So a
run in virtual time sees every exit and every health check at its own moment, and nothing is left over at the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime

import anyio
import anyio.lowlevel

from cluster.binds import Presence
from cluster.capacity import Gpus
from cluster.container import ContainerSpec, ExecSpec
from cluster.registries import Credential
from engine.docker_images import full_reference
from engine.fake_container import KILLED, FakeImage
from engine.fake_exec import Command, FakeExecution
from engine.fake_registry import FakeRegistry, digest_of
from engine.fake_stream import FakeStream
from engine.fake_upkeep import FakeUpkeep
from engine.fake_world import World, carries
from engine.faults import Faults
from engine.port import (
    Conflict,
    ContainerInfo,
    EngineError,
    EngineEvent,
    EngineInfo,
    EngineUnavailable,
    Health,
    ImageInfo,
    LogLine,
    NetworkInfo,
    NetworkRequest,
    PullProgress,
    VolumeInfo,
)

__all__ = ["FakeEngine", "FakeImage", "Faults"]

PULL_STEPS = 4
LINES_AT_ONCE = 1_000

STOP_SIGNALS = frozenset({"SIGTERM", "SIGINT", "SIGQUIT"})


class FakeEngine(FakeUpkeep):
    """An `Engine` whose images are what `images` says: the registry, by reference. Its containers have `commands`.

    Its machine has `gpus`, and every path but the `missing_paths`. `calls` counts the calls by name, `executing` the
    commands that somebody listens to; `violations` tells of each slot that had two running containers at a time.
    """

    def __init__(self, clock: Callable[[], float] = anyio.current_time, faults: Faults | None = None) -> None:
        super().__init__()
        self.registry = FakeRegistry()
        self.images = self.registry.images
        self.commands: dict[str, Command] = {}
        self.gpus: tuple[Gpus, ...] = ()
        self.missing_paths: frozenset[str] = frozenset()
        self.executing = 0
        self.faults = faults
        self.calls: Counter[str] = Counter()
        self.running = True
        self.hangs = False
        self._clock = clock
        self._world = World(self._tell)
        self._boots = 0
        self._streams: list[FakeStream] = []
        self._refusals: defaultdict[str, deque[tuple[EngineError, bool]]] = defaultdict(deque)
        self._changed: anyio.Event | None = None

    # -- what a test does to it -----------------------------------------------------------------------------------

    @property
    def violations(self) -> list[str]:
        return self._world.violations

    @property
    def held_ports(self) -> set[int]:
        """Host ports that some process outside holds; a test may change the set."""
        return self._world.held_ports

    @property
    def skew(self) -> float:
        """What the machine's time of day was set by, in seconds: below 0 it was set back."""
        return self._world.skew

    def set_clock(self, by: float) -> None:
        """Set the machine's time of day. What is under way takes as long as ever."""
        self._world.settle(self._clock())
        self._world.skew += by

    def refuse(self, call: str, error: EngineError, *, times: int = 1, after: bool = False) -> None:
        """Fail the next calls of that name; `after` their effect, or in the place of it."""
        self._refusals[call].extend([(error, after)] * times)

    def exit(self, container: str, code: int, *, oom_killed: bool = False) -> None:
        """Let a running container end by itself, now."""
        self._world.settle(self._clock())
        found = self._world.get(container)
        if found.running:
            self._world.end(found, code, self._clock(), oom_killed=oom_killed)
        self._announce()

    def set_health(self, container: str, health: Health) -> None:
        """Let a container's check find this, now."""
        self._world.settle(self._clock())
        self._world.set_health(self._world.get(container), health, self._clock())
        self._announce()

    def write(self, container: str, text: str) -> None:
        """Let a container write a line."""
        self._world.get(container).write(text, self._clock() + self.skew)
        self._announce()

    def break_streams(self) -> None:
        """Cut every event stream that is open."""
        for stream in self._streams:
            stream.broken = True
        self._announce()

    def hang(self) -> None:
        """Answer nothing until `wake`, as a process that is stopped: connections and streams stay open."""
        self.hangs = True

    def wake(self) -> None:
        """Answer all that was asked meanwhile."""
        self.hangs = False
        self._announce()

    def crash(self) -> None:
        """Go away, and let all containers die with it. What exists is kept."""
        self.hangs = False
        self._world.lose_power(self._clock())
        self.running = False
        self._boots += 1
        self.break_streams()

    def restart(self) -> None:
        """Come back, after a crash or by one."""
        if self.running:
            self.crash()
        self.running = True

    # -- the port -------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        await anyio.lowlevel.checkpoint()

    async def info(self) -> EngineInfo:
        async with self._call("info"):
            return EngineInfo("fake", "29.0.0", "1.52", "fake", "linux", "amd64", 4, 8 << 30, gpus=self.gpus)

    async def paths(self, paths: Sequence[str]) -> Presence:
        async with self._call("paths"):
            return Presence(tuple(path for path in paths if path in self.missing_paths))

    async def image(self, reference: str) -> ImageInfo | None:
        async with self._call("image") as world:
            return world.image(reference)

    async def pull(
        self, reference: str, credential: Credential | None = None, platform: str = ""
    ) -> AsyncGenerator[PullProgress, None]:
        async with self._call("pull"):
            boot, image = self._boots, self.registry.get(reference, credential)
        for step in range(PULL_STEPS):
            yield PullProgress(image.size * step // PULL_STEPS, image.size, "Downloading", step)
            await anyio.sleep(image.pull_seconds / PULL_STEPS)
            self._require_running(since_boot=boot)
        self._world.local[full_reference(reference)] = image
        yield PullProgress(image.size, image.size, "Pull complete", PULL_STEPS)

    async def digest(self, reference: str, credential: Credential | None = None) -> str:
        async with self._call("digest"):
            return digest_of(self.registry.get(reference, credential))

    async def sign_in(self, registry: str, credential: Credential) -> None:
        async with self._call("sign_in"):
            self.registry.sign_in(registry, credential)

    async def build(
        self, context: AsyncIterator[bytes], tag: str, options: Mapping[str, str]
    ) -> AsyncGenerator[str, None]:
        async with self._call("build") as world:
            size = 0
            async for chunk in context:
                size += len(chunk)
            world.local[full_reference(tag)] = self.images.get(tag, FakeImage())
        yield f"Step 1/1 : COPY {size} bytes"

    async def create(self, spec: ContainerSpec) -> str:
        async with self._call("create") as world:
            return world.create(spec, self._clock()).id

    async def start(self, container: str) -> None:
        async with self._call("start") as world:
            world.start(world.get(container), self._clock())

    async def stop(self, container: str, grace: float) -> None:
        async with self._call("stop") as world:
            found = world.find(container)
            if found is None or not found.running:
                return
            found.told_to_stop(grace, self._clock())
            self._announce()
            await self._until(lambda: not found.running)

    async def kill(self, container: str, signal: str = "SIGKILL") -> None:
        async with self._call("kill") as world:
            found = world.find(container)
            if found is None or not found.running:
                return
            if signal == "SIGKILL":
                world.end(found, KILLED, self._clock())
            elif signal in STOP_SIGNALS:
                found.told_to_stop(float("inf"), self._clock())

    async def remove(self, container: str) -> None:
        async with self._call("remove") as world:
            if (found := world.find(container)) is not None:
                world.remove(found, self._clock())

    async def container(self, reference: str) -> ContainerInfo | None:
        async with self._call("container") as world:
            found = world.find(reference)
            return found.info() if found else None

    async def containers(self, labels: Mapping[str, str]) -> Sequence[ContainerInfo]:
        async with self._call("containers") as world:
            return [found.info() for found in world.containers.values() if carries(found.spec.labels, labels)]

    @asynccontextmanager
    async def events(self, labels: Mapping[str, str]) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        async with self._call("events"):
            stream = FakeStream(labels)
        self._streams.append(stream)
        try:
            async with aclosing(self._read(stream)) as events:
                yield events
        finally:
            self._streams.remove(stream)

    async def logs(
        self, container: str, *, follow: bool = False, tail: int | None = None, since: float = 0.0
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        async with self._call("logs") as world:
            found = world.get(container)
            lines = [line for line in found.log if _seconds(line) >= since]
            read = len(found.log)
        wanted = lines[max(0, len(lines) - tail) :] if tail is not None else lines
        for begin in range(0, len(wanted), LINES_AT_ONCE):
            yield wanted[begin : begin + LINES_AT_ONCE]

        def more() -> bool:
            return len(found.log) > read or not found.running

        while follow:
            await self._until(more)
            fresh = found.log[read : read + LINES_AT_ONCE]
            read += len(fresh)
            if fresh:
                yield fresh
            follow = found.running or read < len(found.log)

    @asynccontextmanager
    async def exec(self, container: str, spec: ExecSpec) -> AsyncIterator[FakeExecution]:
        async with self._call("exec") as world:
            found = world.get(container)
            if not found.running:
                raise Conflict(f"container {container[:12]} does not run; see why with `gbnt task ls`")
        self.executing += 1
        try:
            yield FakeExecution(found, spec, self.commands, self._until, self._announce)
        finally:
            self.executing -= 1

    async def create_network(self, request: NetworkRequest) -> str:
        async with self._call("create_network") as world:
            return world.create_network(request)

    async def remove_network(self, name: str) -> None:
        async with self._call("remove_network") as world:
            world.remove_network(name)

    async def networks(self, labels: Mapping[str, str] | None = None) -> Sequence[NetworkInfo]:
        async with self._call("networks") as world:
            return world.network_infos(labels or {})

    async def create_volume(
        self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        async with self._call("create_volume") as world:
            world.volumes.setdefault(name, VolumeInfo(name, dict(labels), driver or "local"))

    async def remove_volume(self, name: str) -> None:
        async with self._call("remove_volume") as world:
            world.remove_volume(name)

    async def volumes(self, labels: Mapping[str, str]) -> Sequence[VolumeInfo]:
        async with self._call("volumes") as world:
            return [volume for volume in world.volumes.values() if carries(volume.labels, labels)]

    # -- how a call goes ------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _call(self, name: str) -> AsyncIterator[World]:
        """One call: bad luck before it, its effect on a settled world, and bad luck after it."""
        self.calls[name] += 1
        await self._delay()
        boot = self._boots
        if self.hangs:
            await self._until(lambda: not self.hangs, running=False)
        self._require_running(since_boot=boot)
        self._fail(name, after=False)
        self._preload()
        self._world.settle(self._clock())
        try:
            yield self._world
        finally:
            self._announce()
        await self._delay()
        self._require_running(since_boot=boot)
        self._fail(name, after=True)

    async def _delay(self) -> None:
        await anyio.sleep(self.faults.delay() if self.faults else 0.0)

    def _fail(self, name: str, *, after: bool) -> None:
        planned = self._refusals[name]
        if planned and planned[0][1] == after:
            raise planned.popleft()[0]
        if self.faults and (self.faults.fails_after() if after else self.faults.fails_before()):
            raise EngineUnavailable(f"the connection to the fake engine broke during {name}")

    def _require_running(self, *, since_boot: int) -> None:
        """A connection that was made before a crash is lost, though the engine be back already."""
        if not self.running or self._boots != since_boot:
            raise EngineUnavailable("the fake engine does not answer; a test stopped it by crash()")

    def _preload(self) -> None:
        for name, image in self.images.items():
            if image.local and full_reference(name) not in self._world.removed_images:
                self._world.local.setdefault(full_reference(name), image)

    # -- how time passes ------------------------------------------------------------------------------------------

    def _tell(self, event: EngineEvent) -> None:
        for stream in self._streams:
            if stream.broken or not carries(event.labels, stream.labels):
                continue
            if self.faults and self.faults.breaks_stream():
                stream.broken = True
            else:
                stream.waiting.append(event)

    def _announce(self) -> None:
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set()

    async def _read(self, stream: FakeStream) -> AsyncGenerator[EngineEvent, None]:
        while True:
            await self._until(lambda: not self.hangs and (bool(stream.waiting) or stream.broken), running=False)
            if not stream.waiting:
                raise EngineUnavailable("the fake engine ended its event stream")
            yield stream.waiting.popleft()

    async def _until(self, reached: Callable[[], bool], *, running: bool = True) -> None:
        """Wait for it, and let happen what falls due meanwhile. Raises when the engine goes away (if `running`)."""
        boot = self._boots
        await anyio.lowlevel.checkpoint()
        while True:
            self._world.settle(self._clock())
            if running:
                self._require_running(since_boot=boot)
            if reached():
                return
            if self._changed is None:
                self._changed = anyio.Event()
            due = self._world.next_due()
            with anyio.move_on_after(None if due is None else max(0.0, due - self._clock())):
                await self._changed.wait()


def _seconds(line: LogLine) -> float:
    return datetime.fromisoformat(line.at).timestamp()
