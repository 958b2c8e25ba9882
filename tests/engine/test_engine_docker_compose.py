"""What others made on a real engine: held, brought back on another network of its name, put away without its data."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from cluster.adoption.project import PROJECT, SERVICE, VOLUME
from engine.docker_compose import ComposeEngine
from engine.port import Conflict
from tests.engine.registry import docker

pytestmark = [pytest.mark.anyio, pytest.mark.engine, pytest.mark.timeout(120)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def name() -> Iterator[str]:
    """A project with a container on a network of its own, with a named and a nameless volume."""
    one = f"compose-{uuid4().hex[:8]}"
    label = ("--label", f"{PROJECT}={one}")
    docker("network", "create", *label, one)
    docker("volume", "create", *label, "--label", f"{VOLUME}=data", f"{one}-data")
    mounts = ("--volume", f"{one}-data:/data", "--volume", "/nameless", "--volume", "/full")
    run = ("run", "--detach", "--init", "--restart", "on-failure:3", "--network", one, "--network-alias", "db")
    docker(*run, *mounts, *label, "--label", f"{SERVICE}=db", "--name", one, "busybox", "sleep", "1000")
    docker("exec", one, "touch", "/full/file")
    yield one
    subprocess.run(["docker", "rm", "--force", "--volumes", one], capture_output=True, check=False)
    subprocess.run(["docker", "network", "rm", one], capture_output=True, check=False)
    subprocess.run(["docker", "volume", "rm", f"{one}-data"], capture_output=True, check=False)


@pytest.fixture
async def engine() -> AsyncIterator[ComposeEngine]:
    one = ComposeEngine()
    yield one
    await one.close()


async def test_a_project_is_seen_whole(engine: ComposeEngine, name: str):
    project = await engine.project(name)
    [old] = project.containers
    assert (old.service, old.back.name, old.back.running, old.command) == ("db", name, True, ("sleep", "1000"))
    assert project.volumes == {"data": f"{name}-data"}
    mounts = {mount.target: mount for mount in old.mounts}
    assert (mounts["/data"].source, mounts["/data"].anonymous) == (f"{name}-data", False)
    assert (mounts["/nameless"].anonymous, mounts["/nameless"].empty) == (True, True)
    assert (mounts["/full"].anonymous, mounts["/full"].empty) == (True, False)
    assert [network.users for network in project.networks if network.name == name] == [(old.back.id,)]
    assert old.back.id in {runner.id for runner in project.runners}
    assert name in await engine.projects()


async def test_one_that_is_held_is_brought_back_as_it_was_on_the_network_of_that_name(engine: ComposeEngine, name: str):
    project = await engine.project(name)
    networks = [network for network in project.networks if network.name == name]
    [old] = [one.back for one in project.containers]
    for _ in range(2):
        await engine.hold(old)
        await engine.remove_network(name)
    [held] = (await engine.project(name)).containers
    assert (held.back.running, held.back.restart["Name"]) == (False, "no")
    for _ in range(2):
        await engine.make_again(networks[0])
        await engine.bring_back(old, networks)
    again = await engine.project(name)
    [back] = [one.back for one in again.containers]
    assert (back.running, back.restart) == (True, old.restart)
    assert "db" in back.endpoints[name]["Aliases"]
    assert [network.body for network in again.networks if network.name == name] == [networks[0].body]


async def test_one_that_is_put_away_leaves_its_volumes_and_is_not_put_away_while_it_runs(
    engine: ComposeEngine, name: str
):
    [old] = (await engine.project(name)).containers
    sources = {mount.source for mount in old.mounts}
    with pytest.raises(Conflict):
        await engine.discard(old.back)
    await engine.hold(old.back)
    for _ in range(2):
        await engine.discard(old.back)
    await engine.hold(old.back)
    assert (await engine.project(name)).containers == ()
    assert sources <= set(docker("volume", "ls", "--quiet").split())
    docker("volume", "rm", *(mount.source for mount in old.mounts if mount.anonymous))
