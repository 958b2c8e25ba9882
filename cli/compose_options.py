"""The options of a command that reads compose files."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from cli.compose_choice import Choice
from cli.group import together


def compose_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which files, with which variables and profiles, and what the stack is called; as the parameter `choice`."""

    @wraps(command)
    def told(
        *,
        name: str,
        stack: str,
        file: tuple[str, ...],
        env_file: tuple[str, ...],
        profile: tuple[str, ...],
        with_env_file: bool,
        **rest: Any,
    ) -> None:
        if name and stack and name != stack:
            raise click.UsageError(f"the stack is called {name} and, by --stack, {stack}: leave out one")
        command(choice=Choice(name or stack, file, env_file, profile, with_env_file), **rest)

    return _OPTIONS(told)


_OPTIONS = together(
    click.argument("name", metavar="[STACK]", default=""),
    click.option("--stack", metavar="STACK", default="", help="What the stack is called, as an option."),
    click.option(
        "--file",
        "-c",
        "-f",
        metavar="FILE",
        multiple=True,
        help="A compose file, - for the standard input; several are laid one over another. "
        "Without it COMPOSE_FILE, or compose.yaml or docker-compose.yml here with its override.",
    ),
    click.option("--env-file", metavar="FILE", multiple=True, help="Take variables from this file instead of .env."),
    click.option("--with-env-file", is_flag=True, help="Insist on .env: without it nothing is done."),
    click.option(
        "--profile", metavar="NAME", multiple=True, help="Switch on a profile, * for all. Without it COMPOSE_PROFILES."
    ),
)
