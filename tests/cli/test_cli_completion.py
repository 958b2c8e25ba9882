"""Completion: of commands, options, words and names, through real shells, quietly and within a second."""

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cli.completion import answer
from cli.context import Context
from cli.context_changes import add_context
from tests.cli.conftest import Run
from tests.cli.manager import Manager, listing
from tests.cli.rows import node, service, stack, task
from tests.e2e.person import at_terminal


@pytest.fixture
def cluster(manager: Manager) -> Manager:
    manager.on("GET /v1/stacks", listing(stack("shop"), stack("shop-two"), stack("wiki")))
    manager.on("GET /v1/services", listing(service("shop/web"), service("wiki/db")))
    manager.on("GET /v1/tasks", listing(task("shop-web-1"), task("shop-web-2")))
    manager.on("GET /v1/nodes", listing(node("rome"), node("gaul")))
    kept = {"id": "4f9a2c11", "name": "ci", "role": "admin", "created_at": 0, "expires_at": 0, "used_at": 0}
    manager.on("GET /v1/tokens", listing(kept))
    return manager


@pytest.fixture
def complete(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """What a line that ends with `|` may go on with, as bash is told."""

    def completed(line: str) -> list[str]:
        words = f"gbnt {line}".split(" ")
        monkeypatch.setenv("COMP_WORDS", " ".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        assert answer("bash_complete") == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out.split()

    return completed


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("sta", ["plain,stack"]),
        ("stack re", []),
        ("stack ro", ["plain,rollback"]),
        ("stack rm ", ["plain,shop", "plain,shop-two", "plain,wiki"]),
        ("stack rm w", ["plain,wiki"]),
        ("service scale sh", []),
        ("service inspect ", ["plain,shop/web", "plain,wiki/db"]),
        ("logs shop/", ["plain,shop/web"]),
        ("exec -it shop-web-", ["plain,shop-web-1", "plain,shop-web-2"]),
        ("explain w", ["plain,wiki/db"]),
        ("node update ", ["plain,rome", "plain,gaul"]),
        ("node update rome g", ["plain,gaul"]),
        ("node update rome --availability dr", ["plain,drain"]),
        ("task ls --node ga", ["plain,gaul"]),
        ("task ls -o y", ["plain,yaml"]),
        ("stack ls --no-t", ["plain,--no-trunc"]),
        ("token rm ", ["plain,4f9a2c11"]),
        ("config use-context ", ["plain,rome"]),
        ("stack ls --context r", ["plain,rome"]),
        ("stack deploy -c comp", ["file,comp"]),
        ("serve --data-dir /var", ["dir,/var"]),
        ("version ", []),
    ],
)
def test_a_line_is_completed(cluster: Manager, complete, line: str, found: list[str]):
    assert complete(line) == found


def test_names_are_those_of_the_context_on_the_line(cluster: Manager, complete, home: Path):
    add_context(Context("away", "http://127.0.0.1:1", "", "gbnt_1_x"), home / "config")
    assert complete("stack rm ") == []
    assert complete("stack rm --context rome w") == ["plain,wiki"]


@pytest.mark.parametrize("text", ["", "a: [", "contexts: 1"])
def test_where_there_is_no_manager_nothing_is_said(complete, home: Path, text: str):
    (home / "config").write_text(text)
    assert complete("stack rm ") == []
    assert complete("stack ls --context ") == []


def test_whatever_breaks_nothing_is_said(
    cluster: Manager, complete, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("cli.session.Session.items", lambda *given: 1 // 0)
    assert complete("stack rm ") == []
    monkeypatch.setattr("cli.completion._items", lambda *given: 1 // 0)
    assert answer("bash_complete") == 1
    assert capsys.readouterr() == ("", "")


def test_nobody_waits_long_for_a_manager_that_does_not_answer(complete, home: Path):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        add_context(Context("rome", f"http://127.0.0.1:{silent.getsockname()[1]}", "", "gbnt_1_x"), home / "config")
        assert complete("stack rm ") == []  # and not only once a command would give up


def test_an_instruction_that_is_none_is_refused_without_a_word(capsys: pytest.CaptureFixture[str]):
    assert [answer(text) for text in ("bash_source", "csh_complete", "bash")] == [1, 1, 1]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("shell", "said"),
    [("bash", "complete -o nosort -F _gbnt_completion gbnt"), ("zsh", "#compdef gbnt"), ("fish", "--command gbnt")],
)
def test_each_shell_has_its_script(gbnt: Run, shell: str, said: str):
    ran = gbnt("completion", shell)
    assert (ran.status, said in ran.out, "_GBNT_COMPLETE" in ran.out) == (0, True, True)


def test_a_shell_that_there_is_not(gbnt: Run):
    assert gbnt("completion", "csh").err.startswith('error: bash|zsh|fish must be bash, zsh or fish, not "csh"')


@pytest.fixture
def bin(home: Path) -> Path:
    """A folder with this checkout's `gbnt`."""
    folder = home / "bin"
    folder.mkdir()
    (folder / "gbnt").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gubernator "$@"\n')
    (folder / "gbnt").chmod(0o755)
    return folder


def test_bash_itself_completes_names_from_the_cluster(cluster: Manager, bin: Path):
    text = """source <(gbnt completion bash) &&
    COMP_WORDS=(gbnt stack rm sho) COMP_CWORD=3 && _gbnt_completion gbnt && echo "${COMPREPLY[@]}" &&
    COMPREPLY=() COMP_WORDS=(gbnt sta) COMP_CWORD=1 && _gbnt_completion gbnt && echo "${COMPREPLY[@]}" """
    ran = subprocess.run(
        ["bash", "--norc", "-c", text], env=_environment(bin), capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("shop shop-two\nstack\n", "")


@pytest.mark.parametrize(
    ("shell", "prelude"),
    [
        (["bash", "--norc", "-i"], "source <(gbnt completion bash)"),
        (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source <(gbnt completion zsh)"),
    ],
    ids=["bash", "zsh"],
)
def test_at_a_terminal_the_tab_key_does_it(cluster: Manager, bin: Path, shell: list[str], prelude: str):
    with at_terminal(shell, _environment(bin)) as person:
        person.type(f"{prelude}; PS1=; echo rea''dy\n".encode())
        person.sees(b"ready\r\n")
        person.type(b"echo gbnt; gbnt stack ps wi\t")
        person.sees(b"gbnt stack ps wiki ")


def test_fish_is_given_names_and_a_word_about_each(cluster: Manager, bin: Path):
    text = "gbnt completion fish | source; complete -C 'gbnt stack rm sho'; complete -C 'gbnt sta'"
    ran = subprocess.run(["fish", "-N", "-c", text], env=_environment(bin), capture_output=True, text=True, check=True)
    assert [line.split("\t")[0] for line in ran.stdout.splitlines()] == ["shop", "shop-two", "stack"]
    assert ran.stderr == ""


def _environment(bin: Path) -> dict[str, str]:
    found = {"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "dumb"}
    return {**os.environ, **found}
