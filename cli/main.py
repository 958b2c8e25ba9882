"""The root of the command line: finds the one module that a command needs, and turns errors into sentences.

Commands are imported when they are called, and help for all of them is written from the table below: a program that
starts other programs is run often, and a person notices a tenth of a second.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.errors import CliError
from gubernator import __version__
from gubernator.streams import failed

if TYPE_CHECKING:
    import click

# Each word after `gbnt`, and what the overview says of it. The module of its name in cli/commands/ has its `app`.
COMMANDS = {
    "serve": "Run a node on this machine",
    "stack": "Deploy compose files, and see, stop and remove what they became",
    "service": "See, scale, update and restart services",
    "task": "See, read and replace single tasks",
    "logs": "Read the output of a service",
    "exec": "Run a command in the container of a task",
    "top": "See how busy tasks and machines are, as it changes",
    "explain": "Say where a task may go, and what keeps it from each machine",
    "node": "See the machines, say what they are for, and take them out",
    "network": "See the networks of stacks, and who is on them",
    "dns": "See what the names answer with that containers find each other by",
    "volume": "See the volumes of stacks, and remove what no stack names any more",
    "system": "See what the engines of all machines keep, and put away what nothing needs",
    "legion": "Let machines join, have this one join, and see how all of them are",
    "events": "See what changed, and follow it",
    "audit": "See who did what, and what came of it",
    "actor": "See the supervised parts of the manager itself",
    "doctor": "Look for what keeps this machine from being a node, and say what mends it",
    "reset": "Remove all that gbnt has on this machine",
    "health": "Ask a node whether it is well",
    "token": "Make and revoke credentials",
    "user": "See the people who sign in, and say what they may do",
    "login": "Sign in to a cluster as a user",
    "logout": "End the session that login began",
    "registry": "Sign in to registries, by which every node pulls images",
    "snapshot": "Make, list and restore snapshots of the cluster's state",
    "backup": "Keep all that a manager is rebuilt from, and rebuild it",
    "config-file": "See and remove the configs that stacks brought",
    "config": "Choose among the clusters that this user knows",
    "completion": "Print a shell's script that completes command lines",
    "version": "Print the version",
}

# Set by a shell's script, to have a line completed and not run.
COMPLETE = "_GBNT_COMPLETE"


def main() -> int:
    """Run the command in `sys.argv` and return its exit status: see the tree in cli/errors.py, and 130 for Ctrl-C."""
    if instruction := os.environ.get(COMPLETE):
        from cli.completion import answer

        return answer(instruction)
    return run(sys.argv[1:])


def run(words: Sequence[str]) -> int:
    """Run a command line without its program's name."""
    try:
        status = _run(words)
        sys.stdout.flush()  # here, where a reader that has left is known for what it is
        return status
    except CliError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return failed(error)


def load(name: str) -> click.Command:
    """The command of a word in COMMANDS; `version` has none."""
    from importlib import import_module

    app: click.Command = import_module(f"cli.commands.{name.replace('-', '_')}").app
    return app


def overview() -> str:
    """What `gbnt --help` prints."""
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items())
    return f"""gbnt {__version__} runs compose files, supervised and explained.

Usage: gbnt COMMAND [ARGUMENTS]

Commands:
{listed}

`gbnt COMMAND --help` says more, with an example each. To begin:
  sudo gbnt serve --install
  gbnt stack deploy -c compose.yaml"""


def _run(words: Sequence[str]) -> int:
    match words:
        case [] | ["help"] | ["--help" | "-h", *_]:
            print(overview())
            return 0
        case ["help", *names]:
            return _run([*names, "--help"])
        case ["version" | "--version" | "-V" | "-v", *_]:
            print(f"gbnt {__version__}")
            return 0
        case ["health"]:
            from cli.health import check_this_machine

            check_this_machine(os.environ.get("GBNT_TELEMETRY_PORT"))
            return 0
        case [name, *arguments] if name in COMMANDS:
            return _call(name, arguments)
    return _unknown(words[0])


def _call(name: str, arguments: Sequence[str]) -> int:
    import click

    app = load(name)
    try:
        with app.make_context(f"gbnt {name}", list(arguments)) as context:
            app.invoke(context)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:  # a wrong option, or one that lacks
        from cli.usage import sentence

        print(f"error: {sentence(error)}", file=sys.stderr)
        return error.exit_code
    except click.exceptions.Exit as end:  # --help
        return end.exit_code
    return 0


def _unknown(word: str) -> int:
    from cli.foreign import hint
    from cli.words import did_you_mean

    if word.startswith("-"):
        print(f"error: options follow the command, as `gbnt stack ls {word}`; see `gbnt --help`", file=sys.stderr)
        return 2
    meant = hint("gbnt", word) or did_you_mean(word, COMMANDS)
    print(f'error: gbnt has no command "{word}"{meant}; see `gbnt --help`', file=sys.stderr)
    return 2
