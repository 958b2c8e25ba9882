"""Which compose files a command reads, and with which variables and profiles: options, environment, and what is here.

The names and the order are those of `docker compose`, so that a folder means the same to both.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cli.compose_read import read
from cli.errors import BadInput

if TYPE_CHECKING:
    from cluster.compose.findings import Finding
    from cluster.compose.report import Report

# In Compose's own order: a folder with several of them is taken for the same stack by both.
USUAL_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = tuple(f"{stem}.override.{end}" for stem in ("compose", "docker-compose") for end in ("yml", "yaml"))
Form = Literal["yaml", "json"]
Part = Literal["services", "volumes", "networks", "profiles", "images"]
STANDARD_INPUT = "-"
DOTENV = ".env"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person said. An empty `stack` leaves the name to the files; no `files` leaves them to be found."""

    stack: str = ""
    files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    with_env_file: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """Files to read, in order, the variables and profiles to read them with, and what is odd about the former."""

    files: tuple[str, ...]
    variables: Mapping[str, str]
    profiles: tuple[str, ...]
    warnings: tuple[Finding, ...] = ()


def settle(choice: Choice, environment: Mapping[str, str]) -> Settled:
    """Complete what was said by the environment, by the files `.env`, and by what is in the folder.

    Raises BadInput where there is no compose file, or a named file cannot be read.
    """
    from cluster.compose.report import Report

    given = choice.env_files or tuple(filter(None, environment.get("COMPOSE_ENV_FILES", "").split(",")))
    files = (
        choice.files
        or _listed({**_variables(Path(), given, environment, Report()), **environment})
        or _found(Path.cwd())
    )
    folder = Path() if files[0] == STANDARD_INPUT else Path(files[0]).parent
    report = Report()
    own = _variables(folder, given, environment, report)
    if choice.with_env_file and not given and not (folder / DOTENV).is_file():
        raise BadInput(f"there is no {folder / DOTENV}: make it, or name another with --env-file FILE")
    variables = {**own, **environment}
    profiles = choice.profiles or tuple(variables.get("COMPOSE_PROFILES", "").split(","))
    switched_on = tuple(profile.strip() for profile in profiles if profile.strip())
    return Settled(files, variables, switched_on, tuple(report.warnings))


def _listed(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The files that COMPOSE_FILE names."""
    separator = variables.get("COMPOSE_PATH_SEPARATOR") or ":"
    return tuple(filter(None, variables.get("COMPOSE_FILE", "").split(separator)))


def _found(here: Path) -> tuple[str, ...]:
    """The first of the usual names that is here or in a folder above, and what overrides it there."""
    for folder in (here, *here.parents):
        found = [name for name in USUAL_NAMES if (folder / name).is_file()]
        if found:
            overrides = [name for name in OVERRIDES if (folder / name).is_file()]
            _say_what_is_left(folder, found)
            _say_what_is_left(folder, overrides)
            names = (*found[:1], *overrides[:1])
            return tuple(name if folder == here else str(folder / name) for name in names)
    raise BadInput(f"there is no {USUAL_NAMES[0]} in {here}: name the file with -c FILE")


def _say_what_is_left(folder: Path, names: list[str]) -> None:
    if len(names) > 1:
        print(f"warning: {folder} has {' and '.join(names)}: {names[0]} is read", file=sys.stderr)


def _variables(folder: Path, given: tuple[str, ...], environment: Mapping[str, str], report: Report) -> dict[str, str]:
    """The variables of the files that were named, else of the file `.env` of a folder."""
    from cluster.compose.findings import ComposeError
    from cluster.compose.variables.dotenv import parse_env_file

    found: dict[str, str] = {}
    for path in given or (str(folder / DOTENV),):
        try:
            found.update(parse_env_file(path, read(path), environment, report, before=found))
        except (FileNotFoundError, IsADirectoryError) as error:
            if given:
                raise BadInput(f"there is no {path}, which --env-file names") from error
        except OSError as error:
            raise BadInput(f"cannot read {path}: {error.strerror or error}") from error
        except ComposeError as error:
            raise BadInput("\n".join(finding.render() for finding in error.findings)) from error
    return found
