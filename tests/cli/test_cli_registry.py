"""`gbnt registry`, and Docker's own sign-ins that go along with a deploy."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from pathlib import Path

import pytest

from cli import docker_config
from cli.docker_config import sign_ins
from cluster.registries import Credential
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager, listing, problem

HUB = "hub.example:5000"
DONE = Answer({"revision": 8, "changes": {HUB: "signed in"}, "detail": {}})
HELPER = """#!/bin/sh
read server || [ -n "$server" ]
case $server in
{cases}
*) echo "credentials not found in native keychain"; exit 1 ;;
esac
"""


def typed(monkeypatch: pytest.MonkeyPatch, text: str, *, terminal: bool = False) -> None:
    class Keys(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    monkeypatch.setattr("sys.stdin", Keys(text))


@pytest.fixture
def docker(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of Docker's configuration."""
    folder = home / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


def configured(folder: Path, **config: object) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def entry(username: str, password: str) -> dict[str, str]:
    return {"auth": b64encode(f"{username}:{password}".encode()).decode()}


def helper(home: Path, monkeypatch: pytest.MonkeyPatch, name: str, cases: str) -> None:
    """A credential helper on the path, which answers by these cases of `sh`."""
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / f"docker-credential-{name}"
    program.write_text(HELPER.format(cases=cases))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


# -- gbnt registry ---------------------------------------------------------------------------------------------------


def test_a_password_comes_by_the_standard_input_and_goes_to_the_manager_alone(
    gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch
):
    manager.on(f"PUT /v1/registries/{HUB}", DONE)
    typed(monkeypatch, "qualis artifex\n")
    ran = gbnt("registry", "login", f"https://{HUB}/v2/", "-u", "nero", "--password-stdin")
    assert (ran.status, ran.out) == (0, f"signed in to {HUB} as nero: every node pulls by it\n")
    [put] = manager.asked
    assert json.loads(put.body) == {"username": "nero", "password": "qualis artifex"}
    assert "qualis" not in ran.out + ran.err


def test_a_person_is_asked_for_what_is_not_given(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    manager.on("PUT /v1/registries/docker.io", DONE)
    typed(monkeypatch, "nero\n", terminal=True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "qualis artifex")
    assert gbnt("registry", "login").status == 0
    assert json.loads(manager.asked[0].body) == {"username": "nero", "password": "qualis artifex"}


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        ([HUB], "", "pipe it in, with --username and --password-stdin"),
        ([HUB, "--password-stdin"], "x", "--password-stdin needs --username"),
        ([HUB, "-u", "nero", "--password-stdin"], "\n", "needs a name and a password"),
        (["https://", "-u", "nero", "--password-stdin"], "x", "names no registry"),
    ],
)
def test_what_lacks_is_bad_input(
    gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch, words: list[str], text: str, said: str
):
    typed(monkeypatch, text)
    ran = gbnt("registry", "login", *words)
    assert ran.status == 2
    assert said in ran.err
    assert manager.asked == []


def test_what_a_registry_does_not_take_fails(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    refused = problem(409, "conflict", f"the registry does not know nero at {HUB} by this password; nothing is kept")
    manager.on(f"PUT /v1/registries/{HUB}", refused)
    typed(monkeypatch, "wrong")
    ran = gbnt("registry", "login", HUB, "-u", "nero", "--password-stdin")
    assert ran.status == 1
    assert "by this password; nothing is kept" in ran.err


def test_who_is_signed_in_is_listed(gbnt: Run, manager: Manager):
    rows = [
        {"registry": HUB, "stack": "", "username": "robot", "updated_at": 1.0},
        {"registry": HUB, "stack": "shop", "username": "nero", "updated_at": 1.0},
    ]
    manager.on("GET /v1/registries", listing(*rows))
    table = gbnt("registry", "ls").out.splitlines()
    assert [line.split()[:3] for line in table] == [
        ["REGISTRY", "USER", "FOR"],
        [HUB, "robot", "all"],
        [HUB, "nero", "stack"],
    ]
    assert json.loads(gbnt("registry", "ls", "-o", "json").out) == rows
    assert gbnt("registry", "ls", "-q").out == f"{HUB}\n{HUB}\n"


def test_signing_out_names_the_registry(gbnt: Run, manager: Manager):
    manager.on(f"DELETE /v1/registries/{HUB}", DONE)
    ran = gbnt("registry", "logout", HUB)
    assert (ran.status, ran.out.split(":")[0]) == (0, "signed out of hub.example")


# -- Docker's own sign-ins -------------------------------------------------------------------------------------------


def test_what_docker_keeps_in_its_file_is_found_however_the_registry_is_called(docker: Path):
    configured(
        docker,
        auths={
            "https://index.docker.io/v1/": entry("nero", "one:two"),
            f"https://{HUB}/v1/": entry("robot", "beep"),
            "ghcr.io": {"identitytoken": "t-1"},
            "empty.example": {},
        },
    )
    assert sign_ins(["docker.io", HUB, "ghcr.io", "empty.example", "other.example"]) == {
        "docker.io": Credential("nero", "one:two"),
        HUB: Credential("robot", "beep"),
        "ghcr.io": Credential("<token>", "t-1"),
    }


def test_helpers_are_asked_one_for_a_registry_before_that_for_all(
    docker: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    helper(home, monkeypatch, "all", 'https://index.docker.io/v1/) echo \'{"Username":"nero","Secret":"one"}\' ;;')
    helper(home, monkeypatch, "hub", f'{HUB}) echo \'{{"Username":"robot","Secret":"two"}}\' ;;')
    configured(docker, credsStore="all", credHelpers={HUB: "hub"}, auths={"other.example": entry("old", "one")})
    assert sign_ins(["docker.io", HUB, "other.example"]) == {
        "docker.io": Credential("nero", "one"),
        HUB: Credential("robot", "two"),
    }
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        (f"{HUB}) echo qualis-artifex; exit 2 ;;", "it ended with status 2"),
        (f"{HUB}) echo qualis-artifex ;;", "its answer is none"),
        (f"{HUB}) echo '[]' ;;", "its answer is none"),
    ],
)
def test_a_helper_that_fails_is_a_warning_that_shows_nothing_of_what_it_wrote(
    docker: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys, cases: str, said: str
):
    helper(home, monkeypatch, "all", cases)
    configured(docker, credsStore="all")
    assert sign_ins([HUB]) == {}
    told = capsys.readouterr().err
    assert told.startswith("warning: docker-credential-all does not give Docker's sign-in to hub.example:5000: ")
    assert said in told
    assert "qualis" not in told


def test_a_helper_that_hangs_is_ended_and_is_a_warning(
    docker: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    helper(home, monkeypatch, "all", f"{HUB}) exec sleep 1000 ;;")
    monkeypatch.setattr(docker_config, "HELPER_SECONDS", 0.2)
    configured(docker, credsStore="all")
    assert sign_ins([HUB]) == {}
    assert capsys.readouterr().err == (
        f"warning: docker-credential-all does not give Docker's sign-in to {HUB}: it has not answered for 0.2 s; "
        "`docker-credential-all list` shows whether it waits for somebody\n"
    )


def test_a_helper_that_is_not_there_is_a_warning(docker: Path, capsys: pytest.CaptureFixture[str]):
    configured(docker, credsStore="nowhere")
    assert sign_ins([HUB]) == {}
    assert "docker-credential-nowhere does not give" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", '{"auths": []}', '{"auths": {"hub.example:5000": {"auth": "?"}}}'])
def test_a_damaged_file_keeps_no_deploy_back(docker: Path, content: str):
    (docker / "config.json").write_text(content)
    assert sign_ins([HUB]) == {}


def test_without_a_file_there_is_nothing_and_nothing_is_said(docker: Path, capsys: pytest.CaptureFixture[str]):
    assert sign_ins([HUB]) == {}
    assert capsys.readouterr().err == ""


# -- with a deploy ---------------------------------------------------------------------------------------------------

FILE = f"""\
name: shop
services:
  web:
    image: {HUB}/web
  cache:
    image: other.example/cache
    pull_policy: never
"""


@pytest.fixture
def signed_in(docker: Path, home: Path, manager: Manager) -> Manager:
    configured(docker, auths={name: entry("nero", f"at {name}") for name in (HUB, "other.example", "ghcr.io")})
    (home / "compose.yaml").write_text(FILE)
    told = {"revision": 8, "changes": {"web": "created"}, "detail": {}, "warnings": ["web is not pinned"]}
    manager.on("PUT /v1/stacks/shop", Answer(told))
    return manager


def test_a_deploy_sends_the_sign_ins_that_its_images_need_and_no_others(gbnt: Run, signed_in: Manager):
    ran = gbnt("stack", "deploy", "-d")
    assert (ran.status, ran.err) == (0, "warning: web is not pinned\nshop: web created\n")
    body = json.loads(signed_in.asked[0].body)
    assert body["registries"] == {HUB: {"username": "nero", "password": f"at {HUB}"}}
    assert "resolve" not in body


def test_a_deploy_sends_none_where_it_is_told_so(gbnt: Run, signed_in: Manager):
    assert gbnt("stack", "deploy", "-d", "--no-registry-auth", "--resolve-image", "changed").status == 0
    body = json.loads(signed_in.asked[0].body)
    assert "registries" not in body
    assert body["resolve"] == "changed"
