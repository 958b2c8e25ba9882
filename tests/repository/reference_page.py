"""docs/reference.md, made from the commands and from the table of endpoints.

`python -m tests.repository.reference_page` prints it: after a change of either, that is what belongs into the page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, get_args

import click

from cli.main import COMMANDS, load
from portal.api.app import ENDPOINTS
from portal.api.endpoint import LISTED, Endpoint

HEAD = """# Reference

Every command and every endpoint, made from the code: [commands.md](commands.md) shows what commands print and
[api.md](api.md) explains the API. `--help` is an option of every command.
"""
PLAIN = "version"
"""The one command that takes nothing, and has no module."""

ROLES = {
    "open": "no token",
    "own": "every role",
    "viewer": "every role",
    "operator": "operators, admins",
    "admin": "admins",
}
SHAPES = {"list": "list of {}", "lines": "stream of {}", "feed": "list or stream of {}", "socket": "WebSocket"}


def rendered() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_commands(), *_endpoints()]) + "\n"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, in the order of the overview."""
    for name in COMMANDS:
        if name != PLAIN:
            yield from _below(f"gbnt {name}", load(name))


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    if command.invoke_without_command:
        yield name, command
    for word, one in command.commands.items():
        yield from _below(f"{name} {word}", one)


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    yield from _header("command", "takes", "options", "what it does")
    for name, command in commands():
        taken = [one.make_metavar(click.Context(command)) for one in command.params if isinstance(one, click.Argument)]
        options = [one.opts[0] for one in command.params if isinstance(one, click.Option) and not one.hidden]
        yield _row(f"`{name}`", _coded(taken), _coded(options), _first_sentence(command.help or ""))
    yield _row(f"`gbnt {PLAIN}`", "", "", f"{COMMANDS[PLAIN]}.")
    yield ""


def _endpoints() -> Iterator[str]:
    yield "## Endpoints\n"
    yield "A list takes " + _coded(one.name for one in LISTED) + ", too, where `…` stands. What is kept in the audit is"
    yield "kept under the endpoint's name.\n"
    for resource, those in groupby(ENDPOINTS, key=lambda one: one.name.partition(".")[0]):
        yield f"### {resource}\n"
        yield from _header("endpoint", "name", "for", "asked with", "body", "answer", "what it does")
        yield from (_row(*_cells(one)) for one in those)
        yield ""


def _cells(one: Endpoint) -> tuple[str, ...]:
    own = [f"`{query.name}`" for query in one.query if query not in LISTED]
    asked = ", ".join([*own, "…"] if set(LISTED) <= set(one.query) else own)
    path = re.sub(r":\w+}", "}", one.path)
    answer = SHAPES.get(one.shape, "{}").format(_type(one.answer))
    told = answer if one.status == 200 else f"{answer} ({one.status})"
    return (
        f"`{one.method} {path}`",
        f"`{one.name}`",
        ROLES[one.access],
        asked,
        _type(one.body),
        told,
        _first_sentence(one.about),
    )


def _type(kind: Any) -> str:
    if kind is None:
        return ""
    if isinstance(kind, str):
        return f"`{kind}`"
    return f"`{kind.__name__}`" if not get_args(kind) else "object"


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0]


def _coded(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _header(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield "|" + "---|" * len(names)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(rendered())
