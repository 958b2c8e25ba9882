"""The old containers of an adoption, on this machine's engine: stopped, brought back, put away."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

import anyio

from cli.adopt.record import Record
from cli.errors import CliError
from cluster.adoption.project import PROJECT, Project
from cluster.containers import STACK
from cluster.registries import Credential, registry_of
from cluster.spec import ServiceSpec
from engine.docker_compose import ComposeEngine
from engine.port import Conflict, EngineError, EngineInfo

T = TypeVar("T")


class OldContainers:
    """This machine's engine, asked about what is not gbnt's. Every method raises CliError, and may be done again."""

    def engine(self) -> EngineInfo:
        """What engine this is."""
        return _run(lambda engine: engine.info())

    def projects(self) -> list[str]:
        """The projects that are here."""
        return _run(lambda engine: engine.projects())

    def project(self, name: str) -> Project:
        """All of one project."""
        return _run(lambda engine: engine.project(name))

    def pull(self, services: Collection[ServiceSpec], sign_ins: Mapping[str, Credential]) -> None:
        """Have images here before anything stops: whatever a pull takes is no time without the services."""

        async def pull(engine: ComposeEngine) -> None:
            for service in services:
                image = service.image
                if service.build is None and service.pull_policy != "never" and await engine.image(image) is None:
                    print(f"pulling {image}", file=sys.stderr)
                    async for _ in engine.pull(image, sign_ins.get(registry_of(image)), service.platform):
                        pass

        _run(pull)

    def stop(self, record: Record) -> None:
        """Stop all, those first that need others; and remove the networks that have to make room."""

        async def stop(engine: ComposeEngine) -> None:
            for group in record.stops:
                print(f"stopping {', '.join(one.name for one in group)}", file=sys.stderr)
                async with anyio.create_task_group() as tasks:
                    for one in group:
                        tasks.start_soon(engine.hold, one)
            theirs = {network.name: network for network in (await engine.networks())}
            for network in record.networks:
                if network.name in theirs and STACK not in theirs[network.name].labels:
                    await engine.remove_network(network.name)

        _run(stop)

    def has_stack(self, stack: str) -> bool:
        """Whether containers of a stack are here, and not on another machine's engine."""

        async def look(engine: ComposeEngine) -> bool:
            return bool(await engine.containers({STACK: stack}))

        return _run(look)

    def bring_back(self, record: Record) -> None:
        """Have all run again that ran, those first that others need. One that fails does not keep others from it."""

        async def back(engine: ComposeEngine) -> None:
            failures = list[EngineError]()
            for network in record.networks:
                await engine.make_again(network)
            for one in reversed(record.containers):
                try:
                    await engine.bring_back(one, record.networks)
                except EngineError as error:
                    failures.append(error)
            if failures:
                raise ExceptionGroup("not all run again", failures)

        _run(back)

    def discard(self, record: Record) -> None:
        """Remove the old containers, and none of their volumes; with the last of the project its networks, too."""

        async def discard(engine: ComposeEngine) -> None:
            for one in record.containers:
                await engine.discard(one)
            own = {PROJECT: record.project}
            for network in () if await engine.containers(own) else await engine.networks(own):
                try:
                    await engine.remove_network(network.name)
                except Conflict:
                    print(f"network {network.name} is in use by others, and stays", file=sys.stderr)

        _run(discard)


def _run(work: Callable[[ComposeEngine], Awaitable[T]]) -> T:
    async def opened() -> T:
        engine = ComposeEngine()
        try:
            return await work(engine)
        finally:
            await engine.close()

    try:
        return anyio.run(opened)
    except EngineError as error:
        raise CliError(str(error)) from error
    except ExceptionGroup as group:
        failed = group.subgroup(EngineError)
        if failed is None:
            raise
        raise CliError("; ".join(map(str, failed.exceptions))) from group
