"""How a list reaches the person or the program: a table, JSON or YAML on the standard output."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal

import click

from cli.group import Decorated, together
from cli.kinds import OneOf
from cli.table import Column, Row, render

Output = Literal["table", "json", "yaml", "quiet"]
FORMS = ("table", "json", "yaml")
CALLED = ("id", "name", "address", "registry")


def output_option(default: Output, *more: str) -> Callable[[Decorated], Decorated]:
    """The form in which a command prints what it found, as its parameter `output`; `more` are forms of its own."""
    forms = OneOf((*FORMS, *more))
    return click.option("--output", "-o", type=forms, default=default, show_default=True, help="How to print the list.")


no_trunc_option: Callable[[Decorated], Decorated] = click.option(
    "--no-trunc", is_flag=True, help="Do not cut columns to the terminal's width."
)


def list_options_and(*more: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What a command that prints a list is told about how: `output`, of which `more` are forms, and `no_trunc`."""
    quietly = click.option("--quiet", "-q", is_flag=True, help="Print only what each is called by, for other commands.")
    options = together(output_option("table", *more), quietly, no_trunc_option)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def told(*, output: str, quiet: bool, **rest: Any) -> None:
            if quiet and output != "table":
                raise click.UsageError("--quiet and --output are two forms of one list: leave out one")
            command(output="quiet" if quiet else output, **rest)

        return options(told)

    return decorate


list_options = list_options_and()


def show_list(
    rows: Sequence[Row], columns: Sequence[Column], output: Output, *, no_trunc: bool = False, empty: str = ""
) -> None:
    """Print the rows. As JSON and YAML they are printed as the API gave them, with every field.

    Quietly they are ids or, where they have none, names, one a line. An empty table is the sentence `empty` on the
    standard error, so that a script reads no row from it.
    """
    if output == "quiet":
        for row in rows:
            print(next(row[key] for key in CALLED if key in row))
    elif output != "table":
        show_value(rows, output)
    elif rows or not empty:
        print(render(rows, columns, None if no_trunc else terminal_width()))
    else:
        print(empty, file=sys.stderr)


def show_value(value: object, output: Output) -> None:
    """Print one value as JSON, or else as YAML."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if output == "json":
        print(text)
    else:
        import yaml  # only here: it is a third of a short command's time

        print(yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True), end="")  # knows no replies


def warn_of(answer: Row) -> None:
    """Print what a manager warns of in its answer to a change."""
    for warning in answer.get("warnings") or ():
        print(f"warning: {warning}", file=sys.stderr)


def terminal_width() -> int | None:
    """The terminal's width in cells; None where the output goes elsewhere and nothing is to be cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
