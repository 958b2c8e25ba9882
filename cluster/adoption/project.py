"""What `docker compose` runs on one engine under a project's name, as the labels of its containers say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

PROJECT, SERVICE, ONE_OFF = "com.docker.compose.project", "com.docker.compose.service", "com.docker.compose.oneoff"
FILES, FOLDER = "com.docker.compose.project.config_files", "com.docker.compose.project.working_dir"
ENVIRONMENT, VOLUME = "com.docker.compose.project.environment_file", "com.docker.compose.volume"

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class WayBack:
    """What it takes to have a container run again as it did. `restart` and `endpoints` are as the engine takes them."""

    id: str
    name: str
    running: bool
    grace: float = 10.0
    restart: Mapping[str, Any] = field(default_factory=dict)
    endpoints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OldMount:
    """What a container has at `target`: a volume by its name, or a path of the machine. `empty`: seen to be so."""

    type: str
    source: str
    target: str
    read_only: bool = False
    empty: bool = False

    @property
    def anonymous(self) -> bool:
        """Whether it is a volume that no file names: the engine made its name up."""
        return self.type == "volume" and _ANONYMOUS.fullmatch(self.source) is not None


@dataclass(frozen=True, slots=True)
class OldPort:
    """A port that a container publishes; `published` is 0 where the engine chose it."""

    target: int
    protocol: str
    published: int


@dataclass(frozen=True, slots=True)
class OldContainer:
    """A container of the project. `exit_code` is None where it runs, or never did."""

    back: WayBack
    image: str
    labels: Mapping[str, str]
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    mounts: tuple[OldMount, ...] = ()
    ports: tuple[OldPort, ...] = ()
    exit_code: int | None = None
    created: str = ""

    @property
    def service(self) -> str:
        """The service that it is a container of; empty for one that `docker compose run` made."""
        return "" if self.labels.get(ONE_OFF, "").lower() == "true" else self.labels.get(SERVICE, "")


@dataclass(frozen=True, slots=True)
class OldNetwork:
    """A network of the engine. `body` is what makes it again, `users` are the ids of those that run on it."""

    name: str
    body: Mapping[str, Any]
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Runner:
    """A container that runs on the engine, whoever made it, and what it has of the machine's ports."""

    id: str
    name: str
    ports: frozenset[tuple[int, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Project:
    """All of a project that is there. `volumes` are the engine's names by the file's keys.

    `networks` and `runners` are all of the engine's: the project's file may name any network, and any port.
    """

    name: str
    containers: tuple[OldContainer, ...] = ()
    networks: tuple[OldNetwork, ...] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)
    runners: tuple[Runner, ...] = ()

    def as_before(self, backs: Iterable[WayBack]) -> Project:
        """The project as it was before these were stopped. What else runs was looked at then, or is in their place."""
        known = {one.id: one for one in backs}
        containers = (replace(one, back=known.get(one.back.id, one.back)) for one in self.containers)
        return replace(self, containers=tuple(containers), networks=(), runners=())

    @property
    def newest(self) -> OldContainer:
        """The container of a service that was made last: its labels say what the files are now. There is one."""
        return max((one for one in self.containers if one.service), key=lambda one: one.created)

    @property
    def files(self) -> Sequence[str]:
        """The compose files, as `docker compose` noted them."""
        return self.newest.labels.get(FILES, "").split(",")

    @property
    def folder(self) -> str:
        """The folder that relative paths begin at."""
        return self.newest.labels.get(FOLDER, "")

    @property
    def env_files(self) -> Sequence[str]:
        """The files of variables that were named."""
        return tuple(filter(None, self.newest.labels.get(ENVIRONMENT, "").split(",")))
