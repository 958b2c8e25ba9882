"""How what was found reaches the person or the program: as a table, JSON, YAML, names, or by a template."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from cli.errors import BadInput
from cli.filters import Filter, filter_option, read_filters
from cli.group import Decorated, together
from cli.kinds import OneOf
from cli.table import Column, R, Row, render

if TYPE_CHECKING:
    from cli.template import Template
    from portal.shapes import Changed

Form = Literal["table", "wide", "json", "yaml", "name"]
FORMS: tuple[Form, ...] = get_args(Form)
CALLED = ("id", "name", "address", "registry")
NAMED = ("name", "address", "registry", "id")


@dataclass(frozen=True, slots=True)
class Output:
    """What a person said of how to print. `template`, or `quiet`, counts before `form`; `wanted` is none for all."""

    form: Form = "table"
    quiet: bool = False
    template: Template | None = None
    wanted: Callable[[Row], bool] | None = None

    @property
    def is_table(self) -> bool:
        """Whether it is the table, or page, that is made for people."""
        return self.form in ("table", "wide") and not self.quiet and self.template is None

    @property
    def is_document(self) -> bool:
        """Whether it is JSON or YAML, with all that the API gave; every other form is made of the table's rows."""
        return self.form in ("json", "yaml") and not self.quiet and self.template is None

    def chosen(self, rows: Sequence[R]) -> Sequence[R]:
        """The rows that are as the filters say."""
        return rows if self.wanted is None else [row for row in rows if self.wanted(row)]


def output_option(default: Form = "table") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The form in which a command prints what it found, as its parameter `output`."""
    return _told(_form_options(default), default, {})


def list_options(
    filters: Mapping[str, Filter[Any]], short_filter: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What a command that prints a list is told about how: `output`, and `no_trunc`.

    `filters` are what its rows can be chosen by; `-f` is short for that unless the command has another use for it.
    """
    quietly = click.option("--quiet", "-q", is_flag=True, help="Print only what each is called by, for other commands.")
    choosing = filter_option(filters, short=short_filter)
    return _told(together(choosing, _form_options("table"), quietly, no_trunc_option), "table", filters)


no_trunc_option: Callable[[Decorated], Decorated] = click.option(
    "--no-trunc", is_flag=True, help="Do not cut columns to the terminal's width."
)


def show_list(
    rows: Sequence[R],
    columns: Sequence[Column[R]],
    output: Output,
    *,
    more: Sequence[Column[R]] = (),
    no_trunc: bool = False,
    empty: str = "",
    key: str = "",
) -> None:
    """Print the rows that are wanted. `more` are columns of the wide table; by `key` is called what has no id or name.

    As JSON and YAML they are printed as the API gave them, with every field. An empty table is the sentence `empty` on
    the standard error, so that a script reads no row from it.
    """
    rows, left_out = output.chosen(rows), output.wanted is not None and len(rows) > 0
    if not output.is_table:
        _print_rows(rows, rows, output, (*columns, *more), key)
    elif rows or not empty:
        shown = (*columns, *more) if output.form == "wide" else columns
        print(render(rows, shown, None if no_trunc else terminal_width()))
    else:
        print("none of them is as the filters say" if left_out else empty, file=sys.stderr)


def show_value(value: Row | Sequence[Row], output: Output) -> None:
    """Print one thing or several, with all that is known of them: as YAML where a table has no place for that."""
    _print_rows(value, [value] if isinstance(value, Mapping) else value, output)


def show_line(row: R, output: Output, words: Callable[[R], str], key: str, columns: Sequence[Column[R]] = ()) -> None:
    """One row of those that come as they happen, if it is wanted: in `words`, as a line of JSON, or as in a list.

    `columns` have words for a template.
    """
    if not output.chosen([row]):
        return
    if output.is_table:
        print(words(row), flush=True)
    elif output.template is not None:
        print(output.template.line(row, columns), flush=True)
    elif output.quiet or output.form == "name":
        print(_called(row, output, key), flush=True)
    else:
        print(json.dumps(row, ensure_ascii=False), flush=True)


def warn_of(answer: Changed) -> None:
    """Print what a manager warns of in its answer to a change."""
    for warning in answer.get("warnings") or ():
        print(f"warning: {warning}", file=sys.stderr)


def terminal_width() -> int | None:
    """The terminal's width in cells; None where the output goes elsewhere and nothing is to be cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_document(value: object, form: Form) -> None:
    """Print a value as JSON, or else as YAML."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if form == "json":
        print(text)
    else:
        import yaml  # only here: it is a third of a short command's time

        print(yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True), end="")  # knows no replies


def _print_rows(
    value: object, rows: Sequence[R], output: Output, columns: Sequence[Column[R]] = (), key: str = ""
) -> None:
    """`value` as a document, or each of its `rows` as a line. `columns` have words for a template."""
    if output.template is not None and output.template.is_table:
        print(render(rows, output.template.table(columns)))
    elif output.template is not None:
        for row in rows:
            print(output.template.line(row, columns))
    elif output.quiet or output.form == "name":
        for row in rows:
            print(_called(row, output, key))
    else:
        print_document(value, output.form)


def _called(row: Row, output: Output, key: str) -> object:
    for one in (key,) if key else CALLED if output.quiet else NAMED:
        if one in row:
            return row[one]
    raise BadInput("what is printed here has no name: choose another form with --output")


def _form_options(default: Form) -> Callable[[Decorated], Decorated]:
    return together(
        click.option("--output", "-o", type=OneOf(FORMS), default=default, show_default=True, help="How to print it."),
        click.option("--format", "template", metavar="TEMPLATE", default="", help="Print it so, as '{{.Name}}'."),
    )


def _told(
    options: Callable[[Callable[..., Any]], Callable[..., Any]], default: Form, filters: Mapping[str, Filter[Any]]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the command one `output` for all these options."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def told(*, output: Form, template: str, quiet: bool = False, filter: Sequence[str] = (), **rest: Any) -> None:
            given = {"--quiet": quiet, "--output": output != default, "--format": bool(template)}
            if len(two := [name for name, is_given in given.items() if is_given]) > 1:
                raise click.UsageError(f"{' and '.join(two)} are two forms of one list: leave out one")
            wanted = read_filters(filter, filters) if filter else None
            form = "table" if template == "table" else output
            command(output=Output(form, quiet, _template(template), wanted), **rest)

        return options(told)

    return decorate


def _template(text: str) -> Template | None:
    if text in ("", "table"):
        return None
    from cli.template import parse  # which few ask for

    return parse(text)
