"""The contexts file, and which manager and credential a command takes."""

import base64
import json
import os
import threading
from errno import ENOSPC
from pathlib import Path

import pytest
import yaml

from cli.connect import connect
from cli.context import Context, contexts, find_context
from cli.context_changes import add_context, move_contexts
from cli.errors import BadInput, CliError
from cli.options import secret
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager, listing, problem
from tests.cli.rows import stack

ROME = Context("rome", "https://127.0.0.1:4000", "-----BEGIN CERTIFICATE-----\n", "gbnt_1_secret")
GAUL = Context("gaul", "https://192.0.2.7:4000", "", "gbnt_2_secret")


def test_a_context_is_written_like_a_kubeconfig_and_for_its_owner_alone(home: Path):
    path = add_context(ROME, home / "new" / "config")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert yaml.safe_load(path.read_text()) == {
        "contexts": [{"name": "rome", "cluster": "rome", "user": "rome"}],
        "clusters": [
            {
                "name": "rome",
                "server": ROME.server,
                "certificate-authority-data": base64.b64encode(ROME.certificate_authority.encode()).decode(),
            }
        ],
        "users": [{"name": "rome", "token": "gbnt_1_secret"}],
        "current-context": "rome",
    }
    assert find_context("", path) == ROME


def test_a_file_that_a_person_wrote_is_read_and_changed(home: Path):
    path = home / "config"
    path.write_text(
        "# by hand\n"
        "contexts: [{name: gaul, cluster: far, user: me}]\n"
        f"clusters: [{{name: far, server: '{GAUL.server}'}}]\n"
        f"users:\n- name: me\n  token: {GAUL.token}\n"
    )
    assert contexts(path) == ([GAUL], "")
    add_context(ROME, path)
    assert contexts(path) == ([GAUL, ROME], "rome")


def test_the_same_name_replaces_and_others_stay(home: Path):
    path = home / "config"
    add_context(GAUL, path)
    add_context(ROME, path)
    newer = Context("rome", "https://127.0.0.1:5000", "", "gbnt_3_secret")
    add_context(newer, path, make_current=False)
    assert contexts(path) == ([GAUL, newer], "rome")
    assert {entry.name for entry in path.parent.iterdir()} == {"config", ".config.lock"}


def test_a_failed_write_leaves_the_old_file(home: Path, monkeypatch: pytest.MonkeyPatch):
    path = add_context(ROME, home / "config")
    monkeypatch.setattr("os.replace", lambda *names: (_ for _ in ()).throw(OSError(ENOSPC, "disk full")))
    with pytest.raises(CliError, match=f"cannot write the contexts to {path}: disk full"):
        add_context(GAUL, path)
    assert contexts(path) == ([ROME], "rome")
    assert {entry.name for entry in path.parent.iterdir()} == {"config", ".config.lock"}


@pytest.mark.parametrize(
    "text",
    [
        "- a",
        "contexts: 1",
        "contexts: [1]",
        "a: [",
        "clusters: [{name: a, certificate-authority-data: '*'}]\ncontexts: [{name: a, cluster: a}]",
    ],
)
def test_a_file_that_holds_no_contexts_is_refused_by_its_name(home: Path, text: str):
    path = home / "config"
    path.write_text(text)
    with pytest.raises(BadInput, match=str(path)):
        contexts(path)


def test_of_writers_at_once_none_loses_what_another_wrote(home: Path):
    names = [f"c{number}" for number in range(6)]
    start = threading.Barrier(len(names))

    def write(name: str) -> None:
        start.wait()
        add_context(Context(name, GAUL.server, "", ""), home / "config")

    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(context.name for context in contexts(home / "config")[0]) == names


def test_a_link_to_the_file_stays_one(home: Path):
    (home / "dotfiles").mkdir()
    (home / "config").symlink_to(home / "dotfiles" / "gbnt")
    for context in (ROME, GAUL):
        add_context(context, home / "config")
    assert (home / "config").is_symlink()
    assert contexts(home / "dotfiles" / "gbnt") == ([ROME, GAUL], "gaul")


def test_names_that_yaml_takes_for_numbers_and_dates_are_names(gbnt: Run, home: Path):
    (home / "config").write_text(
        "added: 2026-01-01\n2026-01-02: x\ncurrent-context: 5\n"
        "contexts: [{name: 5, cluster: 2026-01-01, user: 7, added: 2026-01-01}]\n"
        "clusters: [{name: 2026-01-01, server: 'https://192.0.2.1:4000'}]\nusers: [{name: 7}]\n"
    )
    assert gbnt("config", "rename-context", "5", "6").status == 0
    assert gbnt("config", "current-context").out == "6\n"
    assert contexts(home / "config")[0] == [Context("6", "https://192.0.2.1:4000", "", "")]
    assert json.loads((home / "config").read_text())["contexts"][0]["added"] == "2026-01-01"
    assert gbnt("config", "view").status == 0


@pytest.mark.parametrize("words", ["use-context", "delete-context", "rename-context"])
def test_an_empty_name_means_no_context_and_not_the_current_one(gbnt: Run, home: Path, words: str):
    add_context(ROME, home / "config")
    ran = gbnt("config", words, "", *(["new"] if words == "rename-context" else []))
    assert (ran.status, ran.out, 'there is no context ""' in ran.err) == (2, "", True)
    assert contexts(home / "config") == ([ROME], "rome")


def test_a_chosen_context_that_there_is_not_is_not_printed(gbnt: Run, home: Path, monkeypatch: pytest.MonkeyPatch):
    add_context(ROME, home / "config")
    monkeypatch.setenv("GBNT_CONTEXT", "nope")
    ran = gbnt("config", "current-context")
    assert (ran.status, ran.out) == (2, "")


def test_commands_on_contexts(gbnt: Run, home: Path, monkeypatch: pytest.MonkeyPatch):
    assert gbnt("config", "get-contexts").err == "no contexts; `gbnt serve` writes the first one\n"
    assert gbnt("config", "current-context").status == 1
    add_context(GAUL, home / "config")
    add_context(ROME, home / "config")
    assert gbnt("config", "use-context", "gaul").out == 'commands now go to "gaul"\n'
    assert gbnt("config", "current-context").out == "gaul\n"
    assert gbnt("config", "get-contexts").out.splitlines() == [
        "CURRENT  NAME  SERVER",
        "*        gaul  https://192.0.2.7:4000",
        "-        rome  https://127.0.0.1:4000",
    ]
    wrong = gbnt("config", "use-context", "gual")
    assert wrong.status == 2
    assert '(did you mean "gaul"?)' in wrong.err
    monkeypatch.setenv("GBNT_CONTEXT", "rome")
    assert gbnt("config", "current-context").out == "rome\n"
    assert gbnt("config", "use-context", "gaul").err == 'warning: GBNT_CONTEXT is "rome", and counts before: unset it\n'
    assert gbnt("config", "delete-context", "gaul").status == 0
    assert contexts(home / "config") == ([ROME], "")


def test_without_any_context_the_next_step_is_said(gbnt: Run):
    ran = gbnt("stack", "ls")
    assert ran.status == 4
    assert ran.err.startswith("error: no cluster is known here: ")
    assert "gbnt serve" in ran.err


def test_the_token_of_the_environment_outweighs_the_contexts(
    gbnt: Run, manager: Manager, home: Path, monkeypatch: pytest.MonkeyPatch
):
    (home / "token").write_text("gbnt_other_secret\n")
    monkeypatch.setenv("GBNT_API_TOKEN_FILE", str(home / "token"))
    manager.on("GET /v1/stacks", listing(stack()))
    assert gbnt("stack", "ls").status == 0
    assert manager.asked[0].headers["Authorization"] == "Bearer gbnt_other_secret"

    monkeypatch.setenv("GBNT_API_TOKEN", "gbnt_third_secret")
    ran = gbnt("stack", "ls")
    assert (ran.status, ran.err) == (
        2,
        "error: GBNT_API_TOKEN and GBNT_API_TOKEN_FILE are both set: unset one of them\n",
    )


def test_a_secret_file_that_is_missing_is_said(home: Path):
    with pytest.raises(BadInput, match="GBNT_WEB_PASSWORD_FILE names"):
        secret("GBNT_WEB_PASSWORD", {"GBNT_WEB_PASSWORD_FILE": str(home / "missing")})


def test_the_context_of_option_and_environment(gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch):
    manager.on("GET /v1/stacks", listing(stack()))
    path = Path(os.environ["GBNTCTL_CONFIG"])
    add_context(GAUL, path)
    assert gbnt("stack", "ls", "--context", "rome").status == 0
    monkeypatch.setenv("GBNT_CONTEXT", "rome")
    assert gbnt("stack", "ls").status == 0
    assert gbnt("stack", "ls", "--context", "roma").status == 2


def test_a_refused_token_has_a_status_of_its_own(gbnt: Run, manager: Manager):
    manager.on(
        "GET /v1/stacks", problem(401, "unauthorized", "this token is not known; make one with `gbnt token create`")
    )
    ran = gbnt("stack", "ls")
    assert (ran.status, ran.err) == (4, "error: this token is not known; make one with `gbnt token create`\n")


def test_a_manager_that_is_not_there_has_a_status_of_its_own(gbnt: Run, manager: Manager):
    manager.stop()
    ran = gbnt("stack", "ls")
    assert ran.status == 3
    assert ran.err.startswith(f"error: no manager answers at {manager.url} (")


def test_a_certificate_that_is_no_certificate(gbnt: Run, home: Path):
    add_context(ROME, home / "config")
    ran = gbnt("stack", "ls")
    assert (ran.status, ran.err) == (2, 'error: the certificate-authority-data of context "rome" is no certificate\n')


def test_a_client_keeps_no_connection_open(manager: Manager):
    manager.on("GET /v1/cluster", Answer({"name": "rome"}))
    client = connect()
    assert [client.cluster()["name"], client.cluster()["name"]] == ["rome", "rome"]


def test_contexts_of_this_machine_follow_its_manager_to_another_port(home: Path):
    file = home / "config"
    for name, server, authority in (
        ("here", "https://127.0.0.1:4000", "ours"),
        ("far", "https://192.0.2.1:4000", "ours"),
        ("other", "https://127.0.0.1:4000", "theirs"),
    ):
        add_context(Context(name, server, authority, "gbnt_1_x"), file)
    move_contexts("ours", "https://127.0.0.1:5000", file)
    known, current = contexts(file)
    assert current == "other"
    assert {each.name: each.server for each in known} == {
        "here": "https://127.0.0.1:5000",
        "far": "https://192.0.2.1:4000",
        "other": "https://127.0.0.1:4000",
    }


def test_where_there_are_no_contexts_none_is_made_by_moving(home: Path):
    move_contexts("ours", "https://127.0.0.1:5000", home / "none")
    assert not (home / "none").exists()
