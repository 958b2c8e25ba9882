"""The root of the command line: what is imported, what help says, how a command ends."""

import subprocess
import sys
from importlib import import_module

import click
import pytest

from cli.main import COMMANDS, run
from tests.cli.conftest import Run

PROBE = "import sys; from gubernator.__main__ import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
GROUPS = sorted(name for name, entry in COMMANDS.items() if entry.module)


def modules_of(*words: str) -> set[str]:
    """What a fresh interpreter has imported once it has run a command line."""
    ran = subprocess.run([sys.executable, "-c", PROBE, *words], capture_output=True, text=True, check=False)
    return set(ran.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_the_version_is_told_before_anything_is_imported(words: list[str]):
    imported = modules_of(*words)
    assert not imported & {"typer", "httpx", "yaml", "pydantic", "orjson", "anyio", "cli", "argparse"}


@pytest.mark.parametrize("words", [["--help"], ["help"], [], ["stakc"]])
def test_the_overview_needs_no_framework(words: list[str]):
    imported = modules_of(*words)
    assert not imported & {"typer", "httpx", "yaml", "pydantic", "orjson", "anyio"}
    assert not any(name.startswith("cli.commands") for name in imported)


@pytest.mark.parametrize("name", GROUPS)
def test_help_of_a_command_reaches_for_no_manager_and_no_other_command(name: str):
    imported = modules_of(name, "--help")
    assert not imported & {"httpx", "pydantic", "anyio", "rich", "store", "supervisor", "actors", "portal"}


def test_health_asks_with_the_standard_library_alone():
    imported = modules_of("health")
    assert not imported & {"typer", "httpx", "yaml", "pydantic", "orjson", "anyio"}


def every_command() -> list[list[str]]:
    """The words of each command, those of groups by what their help lists."""
    found = []
    for name in GROUPS:
        app = import_module(COMMANDS[name].module).app
        assert isinstance(app, click.Command)
        found += [[name, word] for word in app.commands] if isinstance(app, click.Group) else [[name]]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(gbnt: Run, words: list[str]):
    ran = gbnt(*words, "--help")
    assert ran.status == 0
    assert "  Example:\n" in ran.out
    examples = ran.out.partition("  Example:\n")[2]
    assert f"gbnt {' '.join(words)}" in examples
    summary = ran.out.splitlines()[2].strip()
    assert summary


@pytest.mark.parametrize("name", [name for name in GROUPS if name not in ("serve", "health", "logs", "events")])
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


def test_a_reader_that_leaves_is_no_error():
    shell = f"{sys.executable} -c '{PROBE.splitlines()[0]}; main()' --help | true; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_ctrl_c_ends_with_its_usual_status(monkeypatch: pytest.MonkeyPatch):
    def pressed(words: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.main._run", pressed)
    assert run(["stack", "ls"]) == 130
