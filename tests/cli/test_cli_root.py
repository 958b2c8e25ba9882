"""The root of the command line: what is imported, what help says, how a command ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.main import COMMANDS, load, run
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Lines, Manager, listing
from tests.cli.rows import stack, verdict

PROBE = "import sys; from gubernator.__main__ import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
EACH = """
import io, json, sys
from cli.main import run
for words in json.loads(sys.argv[1]):
    sys.stdin = io.StringIO("a password\\nanother one")
    status = run(words)
    print(json.dumps([words, status, list(sys.modules)]), file=sys.stderr)
"""
WORDS = sorted(set(COMMANDS) - {"version"})
SLOW = {"anyio", "asyncio", "h2", "pydantic", "rich", "supervisor", "trio", "typer"}
HERE = ("serve", "health", "doctor", "reset", "stack adopt")  # what looks at this machine itself
TASK = "shop-web-1"
# What is done without a manager, or with this machine's own alone.
OF_THIS_USER = ("backup", "completion", "doctor", "health", "reset", "serve")
HERE_TOO = (
    *(f"config {word}-context" for word in ("current", "delete", "rename", "set", "use")),
    *("config get-contexts", "config import", "legion init", "legion join", "legion leave"),
    *("snapshot restore", "stack config"),
)
MANAGER = {"cluster", "httpx", "store", "yaml"}

EXPORTED = """
contexts: [{name: ostia, cluster: ostia, user: ostia}]
clusters: [{name: ostia, server: "https://192.0.2.9:4000"}]
users: [{name: ostia, token: gbnt_4f9a2c11_secret}]
"""
COMPOSE = "name: shop\nservices: {web: {image: busybox, build: .}}\n"
ARGUMENTS = {
    "stack deploy": ["-c", "compose.yaml", "--no-build"],
    "stack config": ["-c", "compose.yaml"],
    "completion": ["bash"],
    "config import": ["exported"],
    "config set-context": ["gaul", "--server", "192.0.2.7"],
    "service scale": ["shop/web=2"],
    "service update": ["shop/web", "--force", "--wait"],
    "node update": ["gaul", "--availability", "pause"],
    "legion update": ["--pause-above", "80"],
    "login": ["--username", "nero", "--password-stdin"],
    "user create": ["nero", "--generate"],
    "user update": ["nero", "--disable"],
    "user passwd": ["--password-stdin"],
    "registry login": ["--username", "nero", "--password-stdin"],
    "snapshot restore": ["nothing"],
    "legion join": ["--token", "rubbish", "--manager", "127.0.0.1:1", "--no-serve"],
}


def modules_of(*words: str) -> set[str]:
    """What a fresh interpreter has imported once it has run a command line."""
    ran = subprocess.run([sys.executable, "-c", PROBE, *words], capture_output=True, text=True, check=False)
    return set(ran.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_the_version_is_told_before_anything_is_imported(words: list[str]):
    assert not modules_of(*words) & (SLOW | MANAGER | {"argparse", "cli", "click", "orjson"})


@pytest.mark.parametrize("words", [["--help"], ["help"], [], ["stakc"]])
def test_the_overview_needs_no_framework(words: list[str]):
    imported = modules_of(*words)
    assert not imported & (SLOW | MANAGER | {"click", "dataclasses", "orjson"})
    assert not any(name.startswith("cli.commands") for name in imported)


@pytest.mark.parametrize("name", WORDS)
def test_help_of_a_command_reaches_for_no_manager_and_no_other_command(name: str):
    allowed = {"serve": {"yaml"}}.get(name, set())
    assert not modules_of(name, "--help") & (SLOW | MANAGER | {"actors", "portal"}) - allowed


def test_health_asks_with_the_standard_library_alone():
    assert not modules_of("health") & (SLOW | MANAGER | {"click", "orjson"})


def test_a_list_needs_no_yaml_and_none_of_the_managers_code(manager: Manager):
    manager.on("GET /v1/stacks", listing(stack()))
    imported = modules_of("stack", "ls")
    assert "httpx" in imported
    assert not imported & (SLOW | {"cluster", "store", "yaml"})
    assert [asked.path for asked in manager.asked] == ["/v1/stacks"]


def test_a_file_is_checked_without_a_way_to_a_manager(home: Path):
    (home / "compose.yaml").write_text(COMPOSE)
    imported = modules_of("stack", "config", "-c", "compose.yaml", "--quiet")
    assert "yaml" in imported
    assert not imported & (SLOW | {"httpx", "ssl", "store"})


def every_command() -> list[list[str]]:
    """The words of each command, those of groups by what their help lists."""
    found = []
    for name in WORDS:
        found += _below([name], load(name))
    return found


def _below(words: list[str], command: click.Command) -> list[list[str]]:
    """The command, unless all that it does is lead to others, and those."""
    below = command.commands if isinstance(command, click.Group) else {}
    found = [each for word, one in below.items() for each in _below([*words, word], one)]
    return found if below and not getattr(command, "invoke_without_command", False) else [words, *found]


def test_no_command_imports_what_is_slow_until_it_has_its_answer(manager: Manager, home: Path):
    (home / "compose.yaml").write_text(COMPOSE)
    (home / "exported").write_text(EXPORTED)
    manager.on("GET /v1/services/shop/web", Answer({}))
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 8, "changes": {"web": "created"}}))
    manager.on("POST /v1/services/shop/web/update", Answer({"revision": 8, "changes": {"web": "updated"}}))
    manager.on("GET /v1/stacks/shop/progress", Lines(verdict()))
    commands = [words for words in every_command() if " ".join(words) not in HERE]
    commands.sort(key=lambda words: words[1:] == ["delete-context"])  # it takes the context away

    # One interpreter for all: what one imports is told of those after it too, and the first of them is to blame.
    lines = [[*words, *ARGUMENTS.get(" ".join(words), _required(words))] for words in commands]
    ran = subprocess.run([sys.executable, "-c", EACH, json.dumps(lines)], capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("[")]

    assert [words for words, _, _ in told] == lines
    assert {" ".join(words): slow for words, _, imported in told if (slow := SLOW & set(imported))} == {}
    # 1: the manager of this test knows next to nothing. Anything above were an end before the request.
    assert {" ".join(words): status for words, status, _ in told if status > 1} == {}
    assert ("PUT", "/v1/stacks/shop") in [(asked.method, asked.path) for asked in manager.asked]


def _command(words: list[str]) -> click.Command:
    command = load(words[0])
    for word in words[1:]:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


def _required(words: list[str]) -> list[str]:
    """Something for each argument that the command must have."""
    command = _command(words)
    named = {"config": "rome", "stack": "shop", "task": TASK, "exec": TASK}.get(words[0], "shop/web")
    return [named for item in command.params if isinstance(item, click.Argument) and item.required]


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(gbnt: Run, words: list[str]):
    ran = gbnt(*words, "--help")
    assert ran.status == 0
    assert "  Example:\n" in ran.out
    examples = ran.out.partition("  Example:\n")[2]
    assert f"gbnt {' '.join(words)}" in examples
    summary = ran.out.splitlines()[2].strip()
    assert summary


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_that_asks_a_manager_can_be_told_which(words: list[str]):
    options = {name for param in _command(words).params for name in param.opts}
    assert ("--context" in options) != (words[0] in OF_THIS_USER or " ".join(words) in HERE_TOO)


ALONE = (*HERE, "login", "logout", "logs", "exec", "events", "explain", "audit", "top", "completion")


@pytest.mark.parametrize("name", [name for name in WORDS if name not in ALONE])
def test_a_group_lists_its_commands_with_whole_sentences(gbnt: Run, name: str):
    ran = gbnt(name, "--help")
    listed = ran.out.partition("Commands:\n")[2].splitlines()
    assert listed
    assert not [line for line in listed if line.endswith("...")]


def test_unknown_words_are_answered_with_what_was_meant(gbnt: Run):
    ran = gbnt("stak", "ls")
    assert (ran.status, ran.err) == (
        2,
        'error: gbnt has no command "stak" (did you mean "stack"?); see `gbnt --help`\n',
    )
    ran = gbnt("stack", "deplyo")
    assert ran.status == 2
    assert "deploy" in ran.err
    assert gbnt("stack", "ls", "--nonsense").status == 2


def test_help_comes_by_several_names(gbnt: Run):
    overview = gbnt("--help").out
    assert overview == gbnt("help").out == gbnt().out
    assert all(f"  {name} " in overview for name in COMMANDS)
    assert gbnt("help", "stack", "ls").out == gbnt("stack", "ls", "-h").out


@pytest.mark.parametrize(
    "words", [["--help"], ["stack", "--help"], ["config", "get-contexts", "-o", "json"]], ids=" ".join
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_is_no_error(words: list[str], unbuffered: str):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "gubernator", *words]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    ran = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, env=environment)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_ctrl_c_ends_with_its_usual_status(monkeypatch: pytest.MonkeyPatch):
    def pressed(words: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.main._run", pressed)
    assert run(["stack", "ls"]) == 130
