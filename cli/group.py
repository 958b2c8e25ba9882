"""How every command is set up, so that all of them read alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Group(click.Group):
    """Lists its commands in the order of the module that declares them: what is used most comes first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each with all of its first sentence: it goes on below itself on a narrow terminal, and is never cut."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(limit=1000)) for name, one in self.commands.items()])


def single(*, epilog: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A word that is one command, made of the function below: its docstring is the help."""
    return click.command(epilog=epilog, context_settings=_settings())


def short_for(command: click.Command, *, epilog: str) -> click.Command:
    """The same command as a word of its own."""
    return click.Command(
        command.name,
        callback=command.callback,
        params=command.params,
        help=command.help,
        epilog=epilog,
        context_settings=command.context_settings,
    )


def group(summary: str) -> click.Group:
    """A word with commands of its own, each made by `@app.command(NAME, epilog=example(...))`."""
    return Group(help=summary, no_args_is_help=True, context_settings=_settings())


def example(*lines: str) -> str:
    """The end of a command's help: command lines to copy, each kept on a line of its own."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def together(*options: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Options that several commands share, as one decorator; help lists them in this order."""

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def ends_with_a_command() -> dict[str, Any]:
    """The settings of a command whose last arguments are a command line themselves: its options are left alone."""
    return {**_settings(), "allow_interspersed_args": False}


def data_dir_option(help: str) -> Callable[[Decorated], Decorated]:
    """`--data-dir`, or GBNT_DATA_DIR; None where neither is given."""
    return click.option(
        "--data-dir", metavar="FOLDER", envvar="GBNT_DATA_DIR", show_envvar=True, type=Path, default=None, help=help
    )


def _settings() -> dict[str, Any]:
    return {"help_option_names": ["-h", "--help"], "max_content_width": 100}
