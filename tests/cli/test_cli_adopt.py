"""The files of a project that `docker compose` runs, and the way back that is kept on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.adopt.files import find
from cli.adopt.old import OldContainers
from cli.adopt.record import Record, RecordFile
from cli.adopt.takeover import Takeover
from cli.client import Client
from cli.deploy import kept
from cli.errors import BadInput, CliError
from cli.http import httpx
from cli.session import Session
from cluster.adoption.project import ENVIRONMENT, FILES, FOLDER, SERVICE, OldContainer, OldNetwork, Project, WayBack
from cluster.spec import StackSpec
from engine.docker_compose import old_network
from tests.cli.manager import Answer, Lines, Manager, problem
from tests.cli.rows import verdict

FILE = """
services:
  web:
    image: "busybox:${TAG-none}"
    volumes: [./site:/site]
  debug: {image: busybox, profiles: [debug]}
  other: {image: busybox, profiles: [other]}
"""


def project(*services: str, **labels: str) -> Project:
    found = (
        OldContainer(WayBack(name, f"shop_{name}_1", running=True), "busybox", {SERVICE: name, **labels})
        for name in services
    )
    return Project("shop", tuple(found))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(FILE)
    (tmp_path / "more.yaml").write_text("services: {web: {environment: {MORE: '1'}}}")
    (tmp_path / "own.env").write_text("TAG=1.2")
    return tmp_path


def labels(folder: Path, files: str, **more: str) -> dict[str, str]:
    return {FOLDER: str(folder), FILES: files, **more}


@pytest.mark.parametrize(
    "noted",
    ["compose.yaml,more.yaml", "{folder}/compose.yaml,{folder}/more.yaml", "deep/compose.yaml,deep/more.yaml"],
)
def test_the_files_are_found_as_each_release_noted_them(folder: Path, noted: str):
    spec = find(project("web", **labels(folder, noted.format(folder=folder))), "shop", ()).spec
    assert spec.services.keys() == {"web"}
    assert spec.services["web"].environment == {"MORE": "1"}
    assert spec.services["web"].mounts[0].source == str(folder / "site")


def test_variables_come_from_the_files_that_were_named(folder: Path):
    noted = labels(folder, "compose.yaml", **{ENVIRONMENT: f"{folder}/own.env"})
    assert find(project("web", **noted), "shop", ()).spec.services["web"].image == "busybox:1.2"


def test_what_runs_by_a_profile_has_it_switched_on_and_no_other(folder: Path):
    noted = labels(folder, "compose.yaml", **{ENVIRONMENT: f"{folder}/own.env"})
    found = find(project("web", "debug", "gone", **noted), "mine", ())
    assert (found.spec.name, set(found.spec.services)) == ("mine", {"web", "debug"})
    options = f"-c {folder}/compose.yaml --env-file {folder}/own.env --profile debug"
    assert found.command == f"gbnt stack deploy {options} mine"


def test_a_file_that_is_gone_is_named_and_another_takes_its_place(folder: Path):
    lost = project("web", **labels(folder, "lost.yaml"))
    with pytest.raises(BadInput, match=r"lost\.yaml, which is not there: .* -c FILE"):
        find(lost, "shop", ())
    assert find(lost, "shop", (str(folder / "compose.yaml"),)).spec.services.keys() == {"web"}


def record(**fields: Any) -> Record:
    web = WayBack("1", "shop_web_1", True, 2.0, {"Name": "always"}, {"shop_default": {"Aliases": ["web"]}})
    return Record("shop", "shop", ((web,),), (OldNetwork("shop_default", {"Name": "shop_default"}),), **fields)


def test_the_way_back_is_read_as_it_was_written(tmp_path: Path):
    file = RecordFile(tmp_path / "adopt", "shop", "engine")
    with file.alone():
        assert file.load() is None
        file.save(record())
        assert file.load() == record()
        file.save(record(serves=True))
        assert RecordFile(tmp_path / "adopt", "shop", "engine").load() == record(serves=True)
        assert RecordFile(tmp_path / "adopt", "shop", "another").load() is None
        file.remove()
        assert file.load() is None


def test_two_do_not_adopt_at_once(tmp_path: Path):
    one, other = RecordFile(tmp_path, "shop", "engine"), RecordFile(tmp_path, "other", "engine")
    with one.alone(), pytest.raises(CliError, match="another `gbnt stack adopt` is at work"), other.alone():
        pytest.fail("both are at work")
    with other.alone():
        assert other.load() is None


def test_a_damaged_way_back_is_not_taken_for_none(tmp_path: Path):
    file = RecordFile(tmp_path, "shop", "engine")
    file.save(record())
    next(tmp_path.glob("shop-*.json")).write_text("{")
    with pytest.raises(CliError, match="is damaged"):
        file.load()


def test_a_network_is_made_again_as_it_was():
    labels = {"com.docker.compose.network": "default"}
    config = [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1", "IPRange": ""}]
    told = {
        "Name": "shop_default", "Id": "1", "Driver": "bridge", "EnableIPv6": False, "Internal": True,
        "Attachable": True, "Options": {}, "Labels": labels, "Containers": {"c1": {}},
        "IPAM": {"Driver": "default", "Options": None, "Config": config},
    }  # fmt: skip
    network = old_network(told)
    assert (network.name, network.users) == ("shop_default", ("c1",))
    assert (network.body["Internal"], network.body["Labels"]) == (True, labels)
    assert network.body["IPAM"]["Config"] == [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]


class Old(OldContainers):
    """Containers of no engine, that note what was done to them."""

    def __init__(self, *fault: BaseException) -> None:
        self.done: list[str] = []
        self._fault = fault

    def stop(self, record: Record) -> None:
        self.done.append("stopped")
        for fault in self._fault:
            raise fault

    def has_stack(self, stack: str) -> bool:
        return True

    def bring_back(self, record: Record) -> None:
        self.done.append("brought back")


@contextmanager
def takeover(manager: Manager, old: Old, folder: Path) -> Iterator[Takeover]:
    manager.on("GET /v1/stacks/shop", problem(404, "not_found", 'there is no stack "shop"'))
    folder.mkdir()
    with httpx.Client(base_url=manager.url, trust_env=False) as http:
        yield Takeover(Client(Session(http)), old, RecordFile(folder, "shop", "engine"))


def test_the_stack_keeps_the_files_of_the_project(manager: Manager, home: Path, folder: Path):
    found = find(project("web", **labels(folder, "compose.yaml")), "shop", ())
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 8, "changes": {"web": "created"}}))
    manager.on("GET /v1/stacks/shop/progress", Lines(verdict()))
    with takeover(manager, Old(), home / "adopt") as one:
        assert one.deploy(record(), found.spec, kept(found.sources)).serves
    sources = json.loads(manager.asked[0].body)["sources"]
    assert sources["files"] == [{"name": "compose.yaml", "text": FILE}]
    assert (sources["roots"], sources["profiles"]) == (["compose.yaml"], [])


def test_what_nobody_foresaw_has_the_old_containers_run_again_too(manager: Manager, home: Path):
    old = Old(ZeroDivisionError("half way"))
    with takeover(manager, old, home / "adopt") as one, pytest.raises(ZeroDivisionError):
        one.deploy(record(), StackSpec("shop", {}), None)
    assert old.done == ["stopped", "brought back"]
    assert RecordFile(home / "adopt", "shop", "engine").load() is None


def test_an_answer_that_no_manager_gives_has_the_old_containers_run_again(manager: Manager, home: Path):
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 8}))
    old = Old()
    told = r"was not adopted, and runs as before: what answers at .* is not gbnt"
    with takeover(manager, old, home / "adopt") as one, pytest.raises(CliError, match=told):
        one.deploy(record(), StackSpec("shop", {}), None)
    assert old.done == ["stopped", "brought back"]
