"""Where a test of the engine contract plays: one corner of an engine, and the programs that run there."""

import io
import secrets
import socket
import tarfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import anyio

from cluster.container import ContainerSpec, Endpoint
from cluster.registries import Credential
from engine.port import AddressTaken, ContainerInfo, Engine, Execution, LogLine, NetworkRequest


@dataclass(frozen=True, slots=True)
class Program:
    """An image and a command that behave in a certain way."""

    image: str
    command: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Programs:
    """`stays` runs until told to stop, then ends with 143; `deaf` is not moved by that; `fails` ends at once with 3.

    `talks` writes one, two, three and ends. `well` and `sick` run, with a check that finds so. `absent` cannot be
    started. `pulled` is an image that only the registry has, `unheard_of` one that it has not, `base` one to build on.
    `private` is one that only `owner` is given, by the name and password of that.

    What runs in a container that stays: `copy` writes what it reads until the end of that, `speak` writes out and err
    and ends with 3, `measure` writes the size of its terminal and a line for each that it reads, until the end.
    """

    stays: Program
    deaf: Program
    fails: Program
    talks: Program
    well: Program
    sick: Program
    absent: Program
    pulled: str
    unheard_of: str
    private: str
    owner: Credential
    base: str
    copy: tuple[str, ...]
    speak: tuple[str, ...]
    measure: tuple[str, ...]


@dataclass(slots=True)
class Stage:
    """One test's corner of an engine: all that it makes carries its label, and is removed at the end."""

    engine: Engine
    programs: Programs
    token: str = field(default_factory=lambda: secrets.token_hex(4))
    nowhere: ClassVar[str] = "/gbnt-test/nowhere"

    @property
    def labels(self) -> dict[str, str]:
        return {"gbnt.test": self.token}

    def name(self, word: str) -> str:
        return f"test-{self.token}-{word}"

    def spec(self, program: Program, word: str = "web", **changes: Any) -> ContainerSpec:
        spec = ContainerSpec(self.name(word), program.image, self.labels, command=program.command)
        return replace(spec, **changes)

    async def run(self, program: Program, word: str = "web", **changes: Any) -> str:
        """Create and start; the container's id."""
        container = await self.engine.create(self.spec(program, word, **changes))
        await self.engine.start(container)
        return container

    async def network(self, word: str = "net") -> NetworkRequest:
        """Make a network on a subnet that is probably free."""
        prefix = f"10.{220 + secrets.randbelow(30)}.{secrets.randbelow(256)}"
        request = NetworkRequest(self.name(word), f"{prefix}.0/24", f"{prefix}.1", self.labels)
        try:
            await self.engine.create_network(request)
        except AddressTaken:
            return await self.network(word)
        return request

    async def look(self, container: str) -> ContainerInfo:
        found = await self.engine.container(container)
        assert found is not None
        return found

    async def reach(self, container: str, reached: Callable[[ContainerInfo], bool]) -> ContainerInfo:
        """Follow the events until the container is as wanted."""
        with anyio.fail_after(30):
            async with self.engine.events(self.labels) as events:
                while not reached(info := await self.look(container)):
                    await anext(events)
                return info

    async def clean(self) -> None:
        for container in await self.engine.containers(self.labels):
            await self.engine.remove(container.id)
        for network in await self.engine.networks(self.labels):
            await self.engine.remove_network(network.name)
        for volume in await self.engine.volumes(self.labels):
            await self.engine.remove_volume(volume.name)


def ended(info: ContainerInfo) -> bool:
    return info.state == "exited"


def free_port() -> int:
    """A host port that nobody holds at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def at(address: str, network: NetworkRequest) -> Endpoint:
    """The endpoint whose last number is `address`."""
    return Endpoint(network.name, network.subnet.replace(".0/24", f".{address}"))


async def written(execution: Execution) -> dict[str, bytes]:
    """All that a command writes until its end, by stream."""
    all_of_it: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    while (output := await execution.read()) is not None:
        all_of_it[output.stream] += output.data
    return all_of_it


async def texts(logs: AsyncIterator[Sequence[LogLine]]) -> list[str]:
    return [line.text async for lines in logs for line in lines]


async def tar(files: Mapping[str, str]) -> AsyncIterator[bytes]:
    """A build context."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    yield buffer.getvalue()
