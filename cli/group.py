"""How every command is set up, so that all of them read alike."""

from __future__ import annotations

from typing import Annotated

import typer

DetachOption = Annotated[
    bool, typer.Option("--detach", "-d", help="Return when the change is durable, without waiting.")
]
TimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", min=0, metavar="SECONDS", help="Wait no longer than this.", show_default=False),
]


def single() -> typer.Typer:
    """A word that is one command. Help is plain text: it is read in pipes and logs too, and rich is slow to import."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def group(summary: str) -> typer.Typer:
    """A word with commands of its own."""
    app = single()
    app.callback(help=summary, no_args_is_help=True)(_nothing)  # with a callback, one command alone is still a group
    return app


def example(*lines: str) -> str:
    """The end of a command's help: command lines to copy, each kept on a line of its own."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def _nothing() -> None:
    pass
