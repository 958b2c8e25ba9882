"""The compose files of a project, found by what `docker compose` noted on its containers."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.compose_choice import Choice
from cli.compose_file import deployable, load_files
from cli.errors import BadInput
from cluster.adoption.project import Project
from cluster.sources import Sources
from cluster.spec import StackSpec


@dataclass(frozen=True, slots=True)
class Found:
    """What the files ask for, as they were written, and the command that deploys them from now on."""

    spec: StackSpec
    sources: Sources
    command: str


def find(project: Project, stack: str, files: tuple[str, ...]) -> Found:
    """The project as a stack of that name; `files` take the place of those noted.

    The profiles are those that what runs needs. Raises BadInput for files that are gone or cannot be deployed.
    """
    choice = Choice(stack, files or _noted(project), tuple(map(str, _below(project, project.env_files))))
    loaded = load_files(choice)
    missing = {one.service for one in project.containers if one.service} - loaded.spec.services.keys()
    if missing and loaded.profiles:
        every = load_files(_with(choice, ("*",))).document["services"]
        wanted = {profile for name in missing & every.keys() for profile in every[name].get("profiles", ())}
        choice = _with(choice, tuple(sorted(wanted)))
        loaded = load_files(choice)
    return Found(deployable(loaded).spec, loaded.sources, _command(choice))


def _command(choice: Choice) -> str:
    named = (("-c", choice.files), ("--env-file", choice.env_files), ("--profile", choice.profiles))
    options = (word for option, values in named for value in values for word in (option, value))
    return shlex.join(("gbnt", "stack", "deploy", *options, choice.stack))


def _with(choice: Choice, profiles: tuple[str, ...]) -> Choice:
    return Choice(choice.stack, choice.files, choice.env_files, profiles)


def _noted(project: Project) -> tuple[str, ...]:
    found = _below(project, project.files)
    gone = [str(path) for path in found if not path.is_file()]
    if gone:
        raise BadInput(
            f"docker compose ran {project.name} by {', '.join(gone)}, which is not there: put it back, or say where "
            "it is now with -c FILE"
        )
    return tuple(map(str, found))


def _below(project: Project, names: Sequence[str]) -> list[Path]:
    """Where the files are. The first releases noted them as they were typed, from a folder that nobody noted."""
    folder = Path(project.folder or "/")
    paths = [folder / name for name in names]
    return [path if path.exists() else folder / path.name for path in paths]
