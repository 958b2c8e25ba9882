"""The port to a container engine: what gbnt asks of one, and how an engine says no.

`DockerEngine` and `FakeEngine` both keep this contract, and one test suite runs against both. Every call may be
cancelled; a cancelled or failed call that changes something has an unknown outcome, so callers look before they repeat.

    EngineError
    +-- EngineUnavailable     the engine does not answer: it is stopped, starting, or out of reach
    +-- NotFound              no such container, network, volume or image
    +-- Conflict              the engine's state forbids it: in use, running, already there
    |   +-- NameTaken         another container, network or volume has that name
    |   +-- PortTaken         a host port is held by another container or process
    |   +-- AddressTaken      an address or a subnet is in use or overlaps
    +-- ImageUnavailable      the image cannot be had, for a reason that is none of these
    |   +-- ImageDenied       the registry wants a sign-in, or another one
    |   +-- ImageMissing      the registry has no such image
    |   +-- ImageLimited      the registry gives no more for a while
    |   +-- RegistryUnreachable  the registry does not answer
    +-- DiskFull              no space is left where the engine keeps its data
    +-- Refused               the engine found the request itself wrong, or failed on it
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from cluster.binds import Presence
from cluster.capacity import Gpus
from cluster.container import ContainerSpec, ExecSpec
from cluster.registries import Credential, Trouble
from engine.upkeep import Upkeep

ContainerState = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
Health = Literal["", "starting", "healthy", "unhealthy"]


class EngineError(Exception):
    """The engine did not do what it was asked. The text is one sentence for a person."""


class EngineUnavailable(EngineError):
    """The engine does not answer; the outcome of a call under way is unknown."""


class NotFound(EngineError):
    """What was named does not exist."""


class Conflict(EngineError):
    """The engine's present state forbids it."""


class NameTaken(Conflict):
    """Another container, network or volume has that name."""


class PortTaken(Conflict):
    """A host port is held already."""


class AddressTaken(Conflict):
    """An address or a subnet is in use, or overlaps one that is."""


class ImageUnavailable(EngineError):
    """The image cannot be had, or its registry signed in to. `trouble` is a word for the reason."""

    trouble: ClassVar[Trouble] = ""


class ImageDenied(ImageUnavailable):
    """The registry wants a sign-in, or another one."""

    trouble = "denied"


class ImageMissing(ImageUnavailable):
    """The registry has no such image."""

    trouble = "missing"


class ImageLimited(ImageUnavailable):
    """The registry gives no more for a while."""

    trouble = "limited"


class RegistryUnreachable(ImageUnavailable):
    """The registry does not answer, or is out of order."""

    trouble = "unreachable"


class DiskFull(EngineError):
    """No space is left where the engine keeps its data."""


class Refused(EngineError):
    """The engine found the request wrong, or failed on it."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """The engine and the machine it runs on. `memory` is in bytes, `id` the engine's own lasting name.

    `gpu_runtime` is the engine's runtime for GPUs, empty where it has none: it may have that without a card.
    """

    id: str
    version: str
    api_version: str
    hostname: str
    os: str
    arch: str
    cpus: int
    memory: int
    labels: Mapping[str, str] = field(default_factory=dict)
    gpus: tuple[Gpus, ...] = ()
    gpu_runtime: str = ""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """A local image: its content id and whether it brings a health check of its own."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    healthcheck: bool = False


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is: bytes done and in all over the layers known so far (both 0 until the first is known).

    `moves` grows with whatever moves in it, unpacking too: an engine may repeat itself while nothing does.
    """

    done: int
    total: int
    status: str = ""
    moves: int = 0


@dataclass(frozen=True, slots=True)
class BoundPort:
    """A port that a running container really has on the host."""

    target: int
    protocol: str
    host_ip: str
    host_port: int


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """A container as the engine sees it. Times are seconds since the epoch, 0 where it never happened.

    `exit_code` is None unless it has ended. `addresses` are by network: those it has while it runs, else those that it
    will ask for. `mounts` are the machine's paths by the container's. `health_log` is the last output of the health
    check.
    """

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    state: ContainerState
    health: Health = ""
    health_log: str = ""
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    created_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0
    addresses: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[BoundPort, ...] = ()
    mounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """Something happened to a container.

    `action` is `create`, `start`, `die`, `oom`, `health` (then `health` says which), `destroy`, `pause`, `unpause`.
    `at` is seconds since the epoch.
    """

    action: str
    container: str
    labels: Mapping[str, str]
    at: float
    exit_code: int | None = None
    health: Health = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a container's output, without its line end. `at` is the engine's RFC 3339 time stamp, as text."""

    at: str
    stream: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that a command wrote. With a terminal all of it is `stdout`."""

    stream: Literal["stdout", "stderr"]
    data: bytes


class Execution(Protocol):
    """A command that runs in a container. One task reads, one writes. Every method raises EngineUnavailable.

    A command that has ended takes no notice of what is written or told to it, and its end is there to be read.
    """

    async def read(self) -> Output | None:
        """What it wrote next; None at the end. What is not read holds the command up."""

    async def write(self, data: bytes) -> None:
        """Type this, waiting while the command reads nothing."""

    async def write_end(self) -> None:
        """Type nothing any more: it finds the end of its input."""

    async def resize(self, rows: int, columns: int) -> None:
        """Change the size of its terminal."""

    async def exit_code(self) -> int:
        """Wait until it has ended; 128 and the signal's number where one ended it, 126 or 127 if it never ran."""


@dataclass(frozen=True, slots=True)
class NetworkRequest:
    """A bridge network to make; subnet and gateway are always given, never left to the engine."""

    name: str
    subnet: str
    gateway: str
    labels: Mapping[str, str]
    internal: bool = False
    mtu: int = 0
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """A network of the engine. `subnets` is empty for `host` and `none`; `containers` are the ids of those that run."""

    id: str
    name: str
    labels: Mapping[str, str]
    subnets: tuple[str, ...] = ()
    gateway: str = ""
    containers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeInfo:
    """A volume of the engine."""

    name: str
    labels: Mapping[str, str]
    driver: str = "local"


class Engine(Upkeep, Protocol):
    """A container engine. Every method raises `EngineUnavailable` when the engine does not answer."""

    async def close(self) -> None:
        """Let go of connections. The engine and its containers are not touched."""

    async def info(self) -> EngineInfo:
        """What engine this is. Negotiates the API version on the first call."""

    async def paths(self, paths: Sequence[str]) -> Presence:
        """Which of these absolute paths of its machine are missing; where that cannot be seen from here it says why."""

    async def image(self, reference: str) -> ImageInfo | None:
        """The local image of that name or id, or None."""

    def pull(
        self, reference: str, credential: Credential | None = None, platform: str = ""
    ) -> AsyncGenerator[PullProgress, None]:
        """Pull an image and yield how far it is; ends when it is there. Raises ImageUnavailable, DiskFull.

        `credential` is shown to the registry, and kept nowhere. `platform` is what the image is to be made for, as in
        `linux/arm64`, where that is not the engine's own.
        """

    async def digest(self, reference: str, credential: Credential | None = None) -> str:
        """The digest that the registry has under that reference now, without pulling it. Raises ImageUnavailable."""

    async def sign_in(self, registry: str, credential: Credential) -> None:
        """Show a credential to a registry, and keep it nowhere. Raises ImageUnavailable unless it is taken."""

    def build(self, context: AsyncIterator[bytes], tag: str, options: Mapping[str, str]) -> AsyncGenerator[str, None]:
        """Build an image from a tar stream; yields the engine's output lines. Raises Refused with the failing step.

        `options` are the build's query parameters: `dockerfile`, `buildargs` (JSON), `target`, `labels` (JSON),
        `networkmode`, `nocache`, `pull`.
        """

    async def create(self, spec: ContainerSpec) -> str:
        """Create a container and attach all its networks; its id. Raises NameTaken, NotFound (image), AddressTaken.

        Nothing is left behind when it raises (but for EngineUnavailable, whose outcome is unknown: a container found
        afterwards in state `created` may lack networks, and is removed rather than started). Whether addresses are
        free, and the networks there, engines find out at the start.
        """

    async def start(self, container: str) -> None:
        """Start a created container; one that runs already is left as it is.

        Raises PortTaken, AddressTaken, NotFound (the container or one of its networks), Refused. A container that
        could not be started keeps its state, with the reason in `error`, and may be started again.
        """

    async def stop(self, container: str, grace: float) -> None:
        """Send the stop signal, and kill it `grace` seconds later. Returns when it stopped; stopped or gone is fine."""

    async def kill(self, container: str, signal: str = "SIGKILL") -> None:
        """Send a signal; a container that does not run, or is gone, is fine."""

    async def remove(self, container: str) -> None:
        """Remove a container, killing it if it runs, with its anonymous volumes; one that is gone is fine."""

    async def container(self, reference: str) -> ContainerInfo | None:
        """The container of that id or name, or None."""

    async def containers(self, labels: Mapping[str, str]) -> Sequence[ContainerInfo]:
        """All containers, running or not, that carry these labels, each with its full state."""

    def events(self, labels: Mapping[str, str]) -> AbstractAsyncContextManager[AsyncIterator[EngineEvent]]:
        """The events of containers with these labels, from the moment the context is entered.

        The iterator raises EngineUnavailable when the stream breaks; the caller lists the containers afterwards.
        """

    def logs(
        self, container: str, *, follow: bool = False, tail: int | None = None, since: float = 0.0
    ) -> AsyncGenerator[Sequence[LogLine], None]:
        """A container's output in order, as many lines at a time as are there; with `follow` until it stops.

        What is not read waits with the engine. Raises NotFound, Refused (unreadable driver).
        """

    def exec(self, container: str, spec: ExecSpec) -> AbstractAsyncContextManager[Execution]:
        """Run a command in a running container, from the moment the context is entered.

        Leaving the context frees the engine's connection; a command that runs then goes on by itself. What keeps it
        from running (no such file) is written to its output. Raises NotFound, Conflict (the container does not run).
        """

    async def create_network(self, request: NetworkRequest) -> str:
        """Make a network; its id. Raises NameTaken, AddressTaken."""

    async def remove_network(self, name: str) -> None:
        """Remove a network; one that is gone is fine. Raises Conflict while containers are on it."""

    async def networks(self, labels: Mapping[str, str] | None = None) -> Sequence[NetworkInfo]:
        """The networks with these labels; every network for None."""

    async def create_volume(
        self, name: str, driver: str, options: Mapping[str, str], labels: Mapping[str, str]
    ) -> None:
        """Make a volume; the same one there already is fine."""

    async def remove_volume(self, name: str) -> None:
        """Remove a volume and its data; one that is gone is fine. Raises Conflict while a container uses it."""

    async def volumes(self, labels: Mapping[str, str]) -> Sequence[VolumeInfo]:
        """The volumes with these labels."""
