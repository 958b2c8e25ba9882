"""The container engine port on Docker Engine 20.10 to 29, through aiodocker. Runs on asyncio, as aiodocker does."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import anyio

from cluster.binds import Presence
from cluster.capacity import Disk
from cluster.container import ContainerSpec, ExecSpec
from cluster.registries import Credential, registry_of
from engine.docker_connection import CALL_SECONDS, Connection, filters, path
from engine.docker_container import (
    ACTIONS,
    MANY_NETWORKS_API,
    container_info,
    create_body,
    endpoint_body,
    engine_event,
    seconds,
)
from engine.docker_disk import DataDisk
from engine.docker_errors import refusal
from engine.docker_exec import DockerExecution, exec_body
from engine.docker_gpus import gpu_runtime, gpus
from engine.docker_images import BuildSteps, PullMeter, auth_config, auth_header, full_reference
from engine.docker_logs import FrameReader, TerminalReader
from engine.docker_network import image_info, network_body, network_info, volume_info
from engine.docker_paths import HostPaths
from engine.docker_upkeep import DockerUpkeep
from engine.port import (
    Conflict,
    ContainerInfo,
    EngineError,
    EngineEvent,
    EngineInfo,
    EngineUnavailable,
    ImageInfo,
    LogLine,
    NetworkInfo,
    NetworkRequest,
    NotFound,
    PullProgress,
    VolumeInfo,
)

# A listing looks at each of its entries; more at a time only queue inside the engine.
LOOKS_AT_ONCE = 16

T = TypeVar("T")


class DockerEngine(DockerUpkeep):
    """An `Engine` at `host`, a URL as in `DOCKER_HOST`; empty takes that variable, and then the usual socket."""

    def __init__(self, host: str = "") -> None:
        self._engine = Connection(host)
        self._disk = DataDisk(self._engine.host)
        self._paths = HostPaths(self._engine.host)
        self._root = ""
        self._log_driver = ""

    async def close(self) -> None:
        await self._engine.close()

    async def info(self) -> EngineInfo:
        version = await self._engine.version()
        found = await self._engine.json("GET", "info", about=("engine", "information"))
        self._root, self._log_driver = found["DockerRootDir"], found["LoggingDriver"]
        pairs = (label.partition("=") for label in found.get("Labels") or ())
        return EngineInfo(
            id=found["ID"],
            version=version["Version"],
            api_version=".".join(map(str, await self._engine.negotiate())),
            hostname=found["Name"],
            os=version["Os"],
            arch=version["Arch"],
            cpus=found["NCPU"],
            memory=found["MemTotal"],
            labels={name: text for name, _, text in pairs},
            gpus=gpus(found),
            gpu_runtime=gpu_runtime(found),
        )

    async def disk(self) -> Disk:
        if not self._root:
            await self.info()
        return await self._disk.look(self._root)

    async def paths(self, paths: Sequence[str]) -> Presence:
        return await self._paths.look(paths)

    # -- images ---------------------------------------------------------------------------------------------------

    async def image(self, reference: str) -> ImageInfo | None:
        found = await self._image(reference)
        return image_info(found) if found else None

    async def pull(
        self, reference: str, credential: Credential | None = None, platform: str = ""
    ) -> AsyncGenerator[PullProgress, None]:
        about = ("pull", f"image {reference}")
        meter = PullMeter()
        params = {"fromImage": full_reference(reference), **({"platform": platform} if platform else {})}
        headers = auth_header(registry_of(reference), credential)
        async with self._engine.stream("POST", "images/create", about=about, params=params, headers=headers) as answer:
            async for message in answer.messages():
                if "error" in message:
                    raise refusal(*about, 0, message["error"])
                yield meter.progress(message)

    async def digest(self, reference: str, credential: Credential | None = None) -> str:
        about, where = ("pull", f"image {reference}"), path("distribution", full_reference(reference), "json")
        headers = auth_header(registry_of(reference), credential)
        found = await self._engine.json("GET", where, about=about, headers=headers)
        digest: str = found["Descriptor"]["digest"]
        return digest

    async def sign_in(self, registry: str, credential: Credential) -> None:
        about = ("sign-in", f"{credential.username} at {registry}")
        await self._engine.json("POST", "auth", about=about, body=auth_config(registry, credential))

    async def build(
        self, context: AsyncIterator[bytes], tag: str, options: Mapping[str, str]
    ) -> AsyncGenerator[str, None]:
        about = ("build", f"the build of {tag}")
        steps = BuildSteps()
        async with self._engine.stream(
            "POST",
            "build",
            about=about,
            params={"t": tag, "rm": "1", "forcerm": "1", **options},
            body=context,
            content_type="application/x-tar",
        ) as answer:
            async for message in answer.messages():
                if "error" in message:
                    raise refusal("build", steps.step or about[1], 0, message["error"])
                if text := steps.line(message):
                    yield text

    # -- containers -----------------------------------------------------------------------------------------------

    async def create(self, spec: ContainerSpec) -> str:
        about = ("container", f"container {spec.name}")
        if not self._log_driver:
            await self.info()
        api = await self._engine.negotiate()
        body = create_body(spec, api=api, default_log_driver=self._log_driver)
        if spec.command == () and spec.entrypoint is None:
            # The engine takes an empty command for none and runs the image's, unless an entrypoint is given with it.
            body["Entrypoint"] = await self._image_entrypoint(spec.image)
        params = {"name": spec.name, **({"platform": spec.platform} if spec.platform else {})}
        made = await self._engine.json("POST", "containers/create", about=about, params=params, body=body)
        container: str = made["Id"]
        if api < MANY_NETWORKS_API:
            await self._attach(container, spec, about)
        return container

    async def start(self, container: str) -> None:
        await self._engine.json("POST", path("containers", container, "start"), about=_about(container))

    async def stop(self, container: str, grace: float) -> None:
        await _fine(
            NotFound,
            self._engine.json(
                "POST",
                path("containers", container, "stop"),
                about=_about(container),
                params={"t": str(math.ceil(grace))},
                seconds=grace + CALL_SECONDS,
            ),
        )

    async def kill(self, container: str, signal: str = "SIGKILL") -> None:
        where, params = path("containers", container, "kill"), {"signal": signal}
        await _fine((NotFound, Conflict), self._engine.json("POST", where, about=_about(container), params=params))

    async def remove(self, container: str) -> None:
        where, about = path("containers", container), _about(container)
        try:
            await self._engine.json("DELETE", where, about=about, params={"force": "1", "v": "1"})
        except NotFound:
            return
        except Conflict:
            # Another removal of it is under way.
            await _fine(
                NotFound, self._engine.json("POST", f"{where}/wait", about=about, params={"condition": "removed"})
            )

    async def container(self, reference: str) -> ContainerInfo | None:
        found = await self._container(reference)
        return container_info(found) if found else None

    async def containers(self, labels: Mapping[str, str]) -> Sequence[ContainerInfo]:
        params = {"all": "1", **filters(label=labels)}
        listed = await self._engine.json("GET", "containers/json", about=("container", "the list"), params=params)
        return await _each(self.container, [entry["Id"] for entry in listed])

    @asynccontextmanager
    async def events(self, labels: Mapping[str, str]) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        about = ("events", "the event stream")
        # The engine answers before it subscribes. Asked for what came since its own present time, it fills that gap.
        now = (await self._engine.json("GET", "info", about=about))["SystemTime"]
        params = {"since": f"{seconds(now):.6f}", **filters(type=["container"], event=ACTIONS, label=labels)}
        async with (
            self._engine.stream("GET", "events", about=about, params=params) as answer,
            aclosing(self._told(answer.messages())) as told,
        ):
            yield told

    async def logs(
        self, container: str, *, follow: bool = False, tail: int | None = None, since: float = 0.0
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        about = _about(container)
        found = await self._container(container)
        if found is None:
            raise NotFound(f"{about[1]} does not exist on this machine")
        reader = TerminalReader() if found["Config"]["Tty"] else FrameReader()
        params = {
            "stdout": "1",
            "stderr": "1",
            "timestamps": "1",
            "follow": "1" if follow else "0",
            "tail": "all" if tail is None else str(tail),
            "since": f"{since:.9f}",
        }
        async with self._engine.stream(
            "GET", path("containers", container, "logs"), about=about, params=params
        ) as answer:
            async for chunk in answer.chunks():
                if lines := list(reader.feed(chunk)):
                    yield lines
        if rest := list(reader.end()):
            yield rest

    @asynccontextmanager
    async def exec(self, container: str, spec: ExecSpec) -> AsyncIterator[DockerExecution]:
        about = _about(container)
        body = exec_body(spec, api=await self._engine.negotiate())
        made = await self._engine.json("POST", path("containers", container, "exec"), about=about, body=body)
        where, wanted = path("exec", made["Id"]), {"Detach": False, "Tty": spec.tty}
        async with self._engine.duplex(f"{where}/start", about=about, body=wanted, tty=spec.tty) as duplex:
            execution = DockerExecution(self._engine, duplex, where, about)
            if spec.tty and spec.rows and spec.columns:
                await execution.resize(spec.rows, spec.columns)
            yield execution

    # -- networks and volumes -------------------------------------------------------------------------------------

    async def create_network(self, request: NetworkRequest) -> str:
        about = ("network", f"network {request.name}")
        made = await self._engine.json("POST", "networks/create", about=about, body=network_body(request))
        identity: str = made["Id"]
        return identity

    async def remove_network(self, name: str) -> None:
        about = ("network", f"network {name}")
        await _fine(NotFound, self._engine.json("DELETE", path("networks", name), about=about))

    async def networks(self, labels: Mapping[str, str] | None = None) -> Sequence[NetworkInfo]:
        listed = await self._engine.json(
            "GET", "networks", about=("network", "the list"), params=filters(label=labels or {})
        )
        return await _each(self._network, [entry["Id"] for entry in listed])

    async def create_volume(
        self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        body = {"Name": name, "Driver": driver or "local", "DriverOpts": dict(options), "Labels": dict(labels)}
        await self._engine.json("POST", "volumes/create", about=("volume", f"volume {name}"), body=body)

    async def remove_volume(self, name: str) -> None:
        about = ("volume", f"volume {name}")
        await _fine(NotFound, self._engine.json("DELETE", path("volumes", name), about=about))

    async def volumes(self, labels: Mapping[str, str]) -> Sequence[VolumeInfo]:
        found = await self._engine.json("GET", "volumes", about=("volume", "the list"), params=filters(label=labels))
        return [volume_info(entry) for entry in found["Volumes"] or ()]

    # -- helpers --------------------------------------------------------------------------------------------------

    async def _image(self, reference: str) -> dict[str, Any] | None:
        return await _found(self._engine.json("GET", path("images", reference, "json"), about=("image", reference)))

    async def _container(self, reference: str) -> dict[str, Any] | None:
        return await _found(self._engine.json("GET", path("containers", reference, "json"), about=_about(reference)))

    async def _network(self, reference: str) -> NetworkInfo | None:
        about = ("network", f"network {reference}")
        found = await _found(self._engine.json("GET", path("networks", reference), about=about))
        return network_info(found) if found else None

    async def _image_entrypoint(self, reference: str) -> list[str]:
        found = await self._image(reference)
        return ((found or {}).get("Config") or {}).get("Entrypoint") or []

    async def _attach(self, container: str, spec: ContainerSpec, about: tuple[str, str]) -> None:
        """Attach the networks beyond the first; a container that cannot have them all is removed again."""
        try:
            for endpoint in spec.endpoints[1:]:
                await self._engine.json(
                    "POST",
                    path("networks", endpoint.network, "connect"),
                    about=about,
                    body={"Container": container, "EndpointConfig": endpoint_body(endpoint)},
                )
        except BaseException:
            with anyio.move_on_after(CALL_SECONDS, shield=True):
                await _fine(EngineError, self.remove(container))
            raise

    async def _told(self, messages: AsyncIterator[dict[str, Any]]) -> AsyncGenerator[EngineEvent, None]:
        async for message in messages:
            yield engine_event(message)
        raise EngineUnavailable(f"the Docker Engine at {self._engine.host} ended its event stream; it is stopping")


def _about(container: str) -> tuple[str, str]:
    return "container", f"container {container[:12] if len(container) == 64 else container}"


async def _fine(kind: type[EngineError] | tuple[type[EngineError], ...], call: Awaitable[object]) -> None:
    """Await a call for which these refusals mean that there is nothing left to do."""
    try:
        await call
    except kind:
        return


async def _found(call: Awaitable[dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return await call
    except NotFound:
        return None


async def _each(look: Callable[[str], Awaitable[T | None]], names: Sequence[str]) -> list[T]:
    """Look at all of them, some at a time; what vanished in between is left out."""
    limiter = anyio.CapacityLimiter(LOOKS_AT_ONCE)
    results: list[T | None] = [None] * len(names)

    async def one(index: int, name: str) -> None:
        async with limiter:
            results[index] = await look(name)

    try:
        async with anyio.create_task_group() as tasks:
            for index, name in enumerate(names):
                tasks.start_soon(one, index, name)
    except* EngineError as group:
        raise group.exceptions[0] from None
    return [result for result in results if result is not None]
