"""What was stopped for a stack, kept until the stack serves: whoever is killed half way leaves the way back."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import orjson
from pydantic import TypeAdapter, ValidationError

from cli.errors import CliError
from cli.home import write_private
from cluster.adoption.project import OldNetwork, WayBack


@dataclass(frozen=True, slots=True)
class Record:
    """`stops` and `networks` as in the plan. Once the stack `serves` there is only the way on."""

    project: str
    stack: str
    stops: tuple[tuple[WayBack, ...], ...]
    networks: tuple[OldNetwork, ...]
    serves: bool = False

    @property
    def containers(self) -> tuple[WayBack, ...]:
        """All that were stopped, in that order."""
        return tuple(one for group in self.stops for one in group)


class RecordFile:
    """The record of one project on one engine, in `folder`. Every method raises CliError where the file is unusable."""

    def __init__(self, folder: Path, project: str, engine: str) -> None:
        self._path = folder / f"{quote(project, safe='')}-{hashlib.sha256(engine.encode()).hexdigest()[:12]}.json"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While nobody else adopts: two would stop and start the same containers. A process that is killed lets go."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = os.open(self._path.parent, os.O_RDONLY)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise CliError("another `gbnt stack adopt` is at work: wait until it has ended") from error
        finally:
            os.close(folder)

    def load(self) -> Record | None:
        """What was begun; None where nothing was."""
        try:
            return TypeAdapter(Record).validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        except ValidationError as error:
            raise CliError(f"{self._path} is damaged; start by hand what it names, and remove it") from error

    def save(self, record: Record) -> None:
        """Keep it, durably: from here on a container may be stopped."""
        try:
            write_private(self._path, orjson.dumps(record))
        except OSError as error:
            raise self._unusable(error) from error

    def remove(self) -> None:
        """There is nothing to come back to."""
        self._path.unlink(missing_ok=True)

    def _unusable(self, error: OSError) -> CliError:
        return CliError(f"cannot keep a way back in {self._path.parent}: {error.strerror}; nothing was changed")
