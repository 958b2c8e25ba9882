"""Completion of command lines by a shell: of commands, options and words at once, and of names by asking the cluster.

A shell's script runs `gbnt` with the line in variables; what it prints is the protocol of click's own scripts. What a
parameter is called in help says what it is completed by, so that a command needs to do nothing for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Thread
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from cli.connect import connect
from cli.context import config_path, contexts
from cli.errors import CliError
from cli.main import COMMANDS, COMPLETE, load

if TYPE_CHECKING:
    from cli.client import Client

SHELLS = ("bash", "zsh", "fish")
SECONDS = 1.0
"""How long a person may be kept waiting for names."""

Items = list[CompletionItem[str]]
Named = Iterable[tuple[str, str]]
"""Names, and a word about each."""

Ask = Callable[["Client"], Named]

ASKED: Mapping[str, Ask] = {
    "STACK": lambda client: ((row["name"], row["status"]) for row in client.stacks()),
    "SERVICE": lambda client: ((row["name"], row["image"]) for row in client.services()),
    "TASK": lambda client: ((row["name"], f"{row['state']} on {row['node']}") for row in client.tasks()),
    "VOLUME": lambda client: ((row["name"], row["stack"]) for row in client.volumes()),
    "NETWORK": lambda client: ((row["name"], row["stack"]) for row in client.networks()),
    "CONFIG": lambda client: ((row["name"], row["stack"]) for row in client.configs()),
    "NODE": lambda client: ((row["name"], row["status"]) for row in client.nodes()),
    "PATH": lambda client: ((row["address"].partition("/")[2], row["state"]) for row in client.actors()),
    "SERVER": lambda client: ((row["registry"], row["username"]) for row in client.registries()),
    "TOKEN-ID": lambda client: ((row["id"], row["name"]) for row in client.tokens()),
    "USER": lambda client: ((row["name"], row["role"]) for row in client.users()),
    "JOIN-TOKEN-ID": lambda client: ((row["id"], row["role"]) for row in client.join_tokens()),
}
AT_THE_SOCKET = frozenset({"TOKEN-ID", "JOIN-TOKEN-ID", "USER"})
"""What the owner of this machine's manager is shown without a credential, as the commands that take it do."""

FILES = {"FILE": "file", "FILE|-": "file", "FOLDER": "dir"}


class Root(click.Group):
    """`gbnt` itself: a command is imported when what follows it is completed."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, whose parameters know how they are completed."""
        if cmd_name not in COMMANDS:
            return None
        return click.Command("version") if cmd_name == "version" else _taught(load(cmd_name))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> Items:
        """The commands, by the table of the overview."""
        return _items(COMMANDS.items(), incomplete)


def script(shell: str) -> str:
    """What a shell has to read once, to complete command lines of `gbnt` from then on."""
    return ShellComplete.source(_completer(shell))  # bash's own would run another bash to ask for its version


def answer(instruction: str) -> int:
    """Print what the line in the shell's variables may go on with. Nothing is ever said beside that.

    `instruction` is `bash_complete` and the like. Returns the exit status.
    """
    shell, _, wanted = instruction.partition("_")
    if shell not in SHELLS or wanted != "complete":
        return 1
    try:
        print(_completer(shell).complete())
    except Exception:  # noqa: BLE001 - the line that is being written must stay as it is
        return 1
    return 0


def _completer(shell: str) -> ShellComplete:
    kind = get_completion_class(shell)
    assert kind is not None
    return kind(Root("gbnt"), {}, "gbnt", COMPLETE)


def _taught(command: click.Command) -> click.Command:
    for below in getattr(command, "commands", {}).values():
        _taught(below)
    for param in command.params:
        with click.Context(command) as context:
            called = param.make_metavar(context).strip("[]").removesuffix("...")
        if "--context" in param.opts or called == "CONTEXT":
            _teach(param, lambda context, incomplete: _items(_contexts(), incomplete))
        elif called in FILES:
            _teach(param, lambda context, incomplete, type=FILES[called]: [CompletionItem(incomplete, type)])
        elif ASKED.keys() >= set(kinds := called.split("|")):
            _teach(param, lambda context, incomplete, kinds=kinds: _items(_asked(kinds, context), incomplete))
    return command


def _teach(param: click.Parameter, complete: Callable[..., Items]) -> None:
    setattr(param, "shell_complete", complete)  # noqa: B010 - a method, of this one alone


def _items(known: Named, incomplete: str) -> Items:
    return [CompletionItem(name, help=about) for name, about in known if name.startswith(incomplete)]


def _contexts() -> Named:
    try:
        return [(context.name, context.server) for context in contexts(config_path())[0]]
    except CliError:
        return []


def _asked(kinds: Sequence[str], context: click.Context) -> Named:
    """What the cluster answers within the time; nothing where it does not, or not to this person."""
    found: list[tuple[str, str]] = []
    given: Mapping[str, Any] = context.params
    name = given.get("context") or os.environ.get("GBNT_CONTEXT", "")

    def ask() -> None:
        try:
            client = connect(name, socket_first=AT_THE_SOCKET.issuperset(kinds))
            for kind in kinds:
                found.extend(ASKED[kind](client))
        except Exception:  # noqa: BLE001 - whatever it is, a line that is being written is no place to say it
            return

    thread = Thread(target=ask, daemon=True)  # a name that is looked up cannot be given up otherwise
    thread.start()
    thread.join(SECONDS)
    return list(found)
