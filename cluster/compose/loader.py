"""A compose file, read.

    bytes -> tree -> names and variables -> keys -> checks

Each stage tells all the errors that it finds and then stops. What comes out is one canonical spec: every short form
is written out, every path absolute, every reference checked.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cluster.compose.checks import problems
from cluster.compose.dotenv import parse_env_file
from cluster.compose.events import decode, parse
from cluster.compose.findings import ComposeError, Finding, quote
from cluster.compose.interpolate import interpolate
from cluster.compose.names import STACK, STACK_HINT
from cluster.compose.report import START, Refused, Report
from cluster.compose.scope import Scope
from cluster.compose.stack import folder_name, stack, stack_name
from cluster.compose.tree import Mapping as MappingNode
from cluster.compose.tree import place_of
from cluster.compose.value import Value
from cluster.spec import StackSpec


@dataclass(frozen=True, slots=True)
class Source:
    """A compose file. `path` is absolute; `shown` is what messages call the file, where that is not its path."""

    path: str
    data: bytes
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A good file: what it asks for, and what a person should be told all the same."""

    spec: StackSpec
    warnings: tuple[Finding, ...]


def load(
    source: Source, *, project: str | None, environment: Mapping[str, str], read: Callable[[str], bytes]
) -> Loaded:
    """Read a compose file.

    The stack is called `project`, else the file's `name:`, else the file's folder. Variables come from
    `environment`, then from the file `.env` beside the compose file. `read` gives the bytes of an absolute path (of
    `.env` and of each `env_file`) or raises OSError; it decides which files may be read, and how large they may be.

    Raises ComposeError.
    """
    folder = posixpath.dirname(source.path)
    report = decode(source.data, source.shown or source.path)
    root = parse(report)
    variables = {**_dotenv(folder, environment, read), **environment}
    name = _name(root, report, project, folder, variables)
    variables["COMPOSE_PROJECT_NAME"] = name
    root = interpolate(root, variables, report)
    report.end_stage()
    scope = Scope(name, folder, variables, read)
    spec = Value(root, (), report, root.place).attempt(lambda value: stack(value, scope))
    report.end_stage()
    if spec is None:
        raise ComposeError(report.errors)
    _check(spec, root, report, scope)
    return Loaded(spec, tuple(report.warnings))


def _dotenv(folder: str, environment: Mapping[str, str], read: Callable[[str], bytes]) -> dict[str, str]:
    path = posixpath.join(folder, ".env")
    try:
        data = read(path)
    except (FileNotFoundError, IsADirectoryError):
        return {}
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        Report(path).fatal(START, message, "make it readable, or move it", "env-file")
    return parse_env_file(path, data, environment)


def _name(root: MappingNode, report: Report, project: str | None, folder: str, variables: Mapping[str, str]) -> str:
    """The stack's name. It is settled first, since `${COMPOSE_PROJECT_NAME}` is a variable of the file."""
    if project is not None:
        if not STACK.fullmatch(project):
            message = f"{quote(project)} cannot be a stack's name"
            raise ComposeError([Finding("", 0, 0, "", message, STACK_HINT, code="name")])
        return project
    if entry := root.entries.get("name"):
        draft = Report(report.file, report.text)
        own = interpolate(MappingNode(root.place, {"name": entry}), variables, draft)
        draft.end_stage()
        try:
            return stack_name(Value(own.entries["name"].value, ("name",), report, entry.shown))
        except Refused as refused:
            report.refuse(refused.finding)
            report.end_stage()
    if name := folder_name(folder):
        return name
    return report.fatal(START, "the stack has no name", 'add "name: NAME" to the file, or give one', "name")


def _check(spec: StackSpec, root: MappingNode, report: Report, scope: Scope) -> None:
    for problem in problems(spec):
        place = scope.origins.get(problem.path) or place_of(root, problem.path)
        report.error(place, problem.path, problem.message, problem.hint, problem.code)
    report.end_stage()
