"""`gbnt reset`: what it finds, says and asks; tests/e2e takes away what really runs."""

from __future__ import annotations

import time
from pathlib import Path

import anyio
import pytest

from cli.context import Context
from cli.context_changes import add_context
from cli.errors import CliError, NotFound
from cli.home import Home
from cli.options import ServeOptions
from cli.reset import Belongings, kept, listed, look
from cli.unit import unit_text
from cluster.container import ContainerSpec
from cluster.containers import CLUSTER
from engine.fake import FakeEngine, FakeImage
from engine.port import NetworkRequest
from network.keeper import ResolverStatus
from portal.sockets import listen_unix
from tests.cli.conftest import Run

ALL = Belongings(
    "c-1",
    Path("/etc/systemd/system/gubernator.service"),
    ("web-1", "web-2"),
    ("shop_default",),
    ("shop_data",),
    ResolverStatus(7, 1, 42, ("10.201.0.1",)),
    (Path("/srv/gbnt/node.json"),),
    ("rome",),
)


@pytest.fixture
def state(home: Path) -> Home:
    """A data directory of the cluster c-1."""
    made = Home(home / "data")
    made.identity_file.write_text('{"cluster": "c-1", "node": "n-1", "name": "rome"}')
    return made


@pytest.fixture
def engine() -> FakeEngine:
    """An engine with a container, a network and a volume of two clusters each."""
    made = FakeEngine(time.time)
    made.images["web"] = FakeImage(local=True)

    async def fill() -> None:
        for number, cluster in enumerate(("c-1", "c-2")):
            labels = {CLUSTER: cluster}
            await made.create_network(
                NetworkRequest(f"{cluster}-net", f"10.{number}.0.0/24", f"10.{number}.0.1", labels)
            )
            await made.create_volume(f"{cluster}-data", "local", {}, labels)
            await made.create(ContainerSpec(f"{cluster}-web", "web", labels))

    anyio.run(fill)
    return made


def test_all_that_goes_is_listed_and_volumes_only_where_they_go(home: Path):
    assert list(listed(ALL, volumes=False)) == [
        "service: /etc/systemd/system/gubernator.service, which is stopped first",
        "containers: web-1, web-2",
        "network: shop_default",
        "resolver: process 42, which answers at 10.201.0.1",
        "in /srv/gbnt: node.json",
    ]
    assert "volume: shop_data with all data in them" in list(listed(ALL, volumes=True))
    gone = Home(home / "gone", make=False)
    assert list(kept(ALL, gone, volumes=False)) == [
        "kept the volumes shop_data: `docker volume rm` removes them for good",
        "the context rome leads to this node still: `gbnt config delete-context rome`",
    ]
    assert not [line for line in kept(ALL, gone, volumes=True) if "volumes" in line]


def test_what_is_there_is_found_and_nothing_of_others(state: Home, engine: FakeEngine, home: Path):
    state.keys.mkdir()
    (state.keys / "ca.pem").write_text("KEY\nAUTHORITY\n")
    add_context(Context("rome", "https://127.0.0.1:4000", "AUTHORITY", "gbnt_a_b"), home / "config")
    add_context(Context("other", "https://127.0.0.1:4000", "FOREIGN", "gbnt_a_b"), home / "config")
    found = look(state, lambda: engine, home, {"GBNTCTL_CONFIG": str(home / "config")})
    assert (found.cluster, found.containers, found.networks, found.volumes) == (
        "c-1",
        ("c-1-web",),
        ("c-1-net",),
        ("c-1-data",),
    )
    assert (found.unit, found.resolver, found.contexts) == (None, None, ("rome",))
    assert state.identity_file in found.files


def test_the_unit_of_this_data_directory_alone_is_found(state: Home, engine: FakeEngine, home: Path):
    unit = home / "etc/systemd/system/gubernator.service"
    for folder in (unit.parent, home / "run/systemd/system"):
        folder.mkdir(parents=True)
    unit.write_text(unit_text(ServeOptions(state.path), ("/usr/bin/gbnt",), {}))
    assert look(state, lambda: engine, home).unit == unit
    unit.write_text(unit_text(ServeOptions(home / "another"), ("/usr/bin/gbnt",), {}))
    assert look(state, lambda: engine, home).unit is None


def test_a_damaged_identity_names_no_cluster_and_a_person_is_told(state: Home, engine: FakeEngine, home: Path):
    state.identity_file.write_text("{")
    found = look(state, lambda: engine, home)
    assert (found.cluster, found.containers) == ("", ())
    assert "docker ps --all --filter label=gbnt.cluster" in "\n".join(kept(found, state, volumes=False))


def test_nothing_is_reset_where_there_is_nothing(gbnt: Run, home: Path):
    ran = gbnt("reset", "--yes", "--data-dir", str(home / "nothing"))
    assert (ran.status, "there is nothing of gbnt in" in ran.err) == (1, True)
    assert not (home / "nothing").exists()
    with pytest.raises(NotFound):
        look(Home(home / "nothing", make=False), root=home)


def test_a_gbnt_that_serves_without_a_unit_is_not_pulled_from_under(state: Home, engine: FakeEngine, home: Path):
    with listen_unix(state.admin_socket), pytest.raises(CliError, match="stop it first, where it was started"):
        look(state, lambda: engine, home)


def test_an_engine_that_is_away_keeps_everything(state: Home, home: Path, monkeypatch: pytest.MonkeyPatch, gbnt: Run):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/nothing")
    ran = gbnt("reset", "--yes")
    assert (ran.status, "so nothing was removed" in ran.err) == (1, True)
    assert state.identity_file.exists()


def test_without_a_terminal_nobody_is_asked_and_nothing_goes(gbnt: Run, state: Home):
    state.identity_file.unlink()
    ran = gbnt("reset")
    assert ran.status == 2
    assert "say --yes to do it without being asked" in ran.err
    assert f"  in {state.path}: store, run\n" in ran.err
    assert state.run.exists()


@pytest.mark.parametrize(("said", "status"), [("y", 0), ("n", 2), ("", 2)])
def test_a_person_is_asked(gbnt: Run, state: Home, monkeypatch: pytest.MonkeyPatch, said: str, status: int):
    state.identity_file.unlink()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: said)
    assert gbnt("reset").status == status
    assert state.path.exists() is (status != 0)
