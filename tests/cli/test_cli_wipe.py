"""What is taken away from a machine that is no node any more, and what stays."""

import time
from pathlib import Path

import anyio
import pytest

from cli.errors import CliError
from cli.home import Home, serves
from cli.wipe import Wiped, wipe_engine, wipe_files, wipe_names
from cluster.container import ContainerSpec, Endpoint
from cluster.containers import CLUSTER
from engine.fake import FakeEngine, FakeImage
from engine.port import NetworkRequest
from portal.sockets import listen_unix

OURS, THEIRS = {CLUSTER: "c-1"}, {CLUSTER: "c-2"}


def engine_with(*containers: tuple[str, dict[str, str]]) -> FakeEngine:
    """An engine with a network and a volume of each of two clusters, and these containers, which run."""
    engine = FakeEngine(time.time)
    engine.images["web"] = FakeImage(local=True)

    async def fill() -> None:
        for number, labels in enumerate((OURS, THEIRS)):
            name = f"{labels[CLUSTER]}-net"
            await engine.create_network(NetworkRequest(name, f"10.{number}.0.0/24", f"10.{number}.0.1", labels))
            await engine.create_volume(f"{labels[CLUSTER]}-data", "local", {}, labels)
        for name, labels in containers:
            spec = ContainerSpec(name, "web", labels, endpoints=(Endpoint("c-1-net"),))
            await engine.start(await engine.create(spec))

    anyio.run(fill)
    return engine


def names(engine: FakeEngine) -> set[str]:
    return {one.spec.name for one in engine._world.containers.values()}


def test_containers_and_networks_of_one_cluster_go_and_its_volumes_stay():
    engine = engine_with(*((f"web-{n}", OURS) for n in range(20)))
    wiped = wipe_engine("c-1", lambda: engine)
    assert (len(wiped.containers), wiped.networks, wiped.volumes) == (20, ("c-1-net",), ("c-1-data",))
    assert names(engine) == set()
    assert wipe_engine("c-1", lambda: engine) == Wiped((), (), ("c-1-data",))
    assert wipe_engine("c-2", lambda: engine).networks == ("c-2-net",)


def test_what_is_in_the_way_is_told_and_it_can_be_done_again():
    engine = engine_with(("web", OURS), ("foreign", {}))
    with pytest.raises(CliError, match=r"not all of the cluster is gone from this machine's engine: .*c-1-net"):
        wipe_engine("c-1", lambda: engine)
    assert names(engine) == {"foreign"}
    anyio.run(engine.remove, next(iter(engine._world.containers)))
    assert wipe_engine("c-1", lambda: engine).networks == ("c-1-net",)


def test_files_of_gbnt_go_and_those_of_others_stay(home: Path):
    kept = Home(home / "data")
    for file in (kept.identity_file, kept.legion, kept.orders, kept.store, kept.run / "zones"):
        file.write_text("x")
    kept.configs.mkdir()
    (home / "data" / "notes").write_text("mine")
    wipe_names(kept)
    wipe_files(kept)
    assert [path.name for path in (home / "data").iterdir()] == ["notes"]
    (home / "data" / "notes").unlink()
    wipe_files(kept)
    assert not (home / "data").exists()
    wipe_files(kept)


def test_a_gbnt_that_runs_is_noticed(home: Path):
    kept = Home(home / "data")
    assert not serves(kept)
    with listen_unix(kept.admin_socket):
        assert serves(kept)
    assert not serves(kept)
