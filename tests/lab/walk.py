"""A walk through the commands: what each is to say and to bring about, and how it is to refuse.

The machine `away` is in no cluster. It has a file with a context, and reaches the manager over the network alone.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Literal

import click

from cli.client import Client
from cli.main import COMMANDS, load
from tests.e2e.node import Ended, Row, until
from tests.lab.machine import Machine

Place = Literal["rome", "second", "third", "away"]


@dataclass(slots=True)
class Scene:
    """Where the walk goes. `notes` are words that later steps name as `$word`; `seen` are containers by service."""

    rome: Machine
    second: Machine
    third: Machine
    away: Machine
    notes: dict[str, str] = field(default_factory=dict)
    seen: dict[str, set[str]] = field(default_factory=dict)

    @property
    def store(self) -> Client:
        """The cluster's state, asked at the manager's own socket."""
        return self.rome.api

    def write(self, name: str, text: str) -> Path:
        """A file on the machine that is away, which steps name as `$name`."""
        file = self.away.folder / f"{name}.yaml"
        file.write_text(text)
        file.chmod(0o600)
        self.notes[name] = str(file)
        return file

    def ids(self, service: str) -> set[str]:
        """The containers of a service that run on any engine, by the engines' own word."""
        words = ("ps", "-q", "--filter", f"label=gbnt.service={service}")
        machines = (one for one in (self.rome, self.second, self.third) if one.host.space.is_open)
        return {id for machine in machines for id in machine.docker(*words).split()}

    def runs(self, service: str, number: int, new: int = 0) -> bool:
        """Whether so many containers of it run, and of these so many that did not at the step before."""
        now = self.ids(service)
        if len(now) != number or len(now - self.seen.get(service, set())) < new:
            return False
        self.seen[service] = now
        return True

    def stack(self, name: str) -> Row:
        """What the state says of a stack; empty where there is none."""
        return dict(next((row for row in self.store.stacks() if row["name"] == name), {}))

    def node(self, name: str) -> Row:
        """What the state says of a node; empty where there is none."""
        return dict(next((row for row in self.store.nodes() if row["name"] == name), {}))


Proof = Callable[[Scene, str], Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One command line, in a shell's words.

    It ends with `code`, and says `says` among other things. Where it succeeds `proof` is asked until it holds, with
    what was printed. `do` takes the place of the words where a line alone will not do.
    """

    command: str
    words: str = ""
    says: str = ""
    proof: Proof | None = None
    code: int = 0
    on: Place = "away"
    stdin: str = ""
    do: Callable[[Scene], Ended] | None = None

    def __str__(self) -> str:
        return f"{self.command} {self.words}".strip()

    def walk(self, scene: Scene) -> None:
        """Go it. Raises AssertionError with what was said."""
        ended = self.do(scene) if self.do else self._run(scene)
        told = f"gbnt {self} ended with {ended.code}: {ended.text}"
        assert ended.code == self.code, told
        assert _filled(self.says, scene) in ended.text, f"{self.says!r} is not said: {told}"
        if self.proof is not None:
            proof = self.proof
            until(lambda: proof(scene, ended.out), f"the effect of gbnt {self}, which said {ended.text}", 120)

    def _run(self, scene: Scene) -> Ended:
        machine: Machine = getattr(scene, self.on)
        words = [_filled(word, scene) for word in shlex.split(f"{self.command} {self.words}")]
        return machine.gbnt(*words, stdin=_filled(self.stdin, scene))


def leaves() -> Iterator[str]:
    """Every command that does something, by its words."""
    for name in COMMANDS:
        yield from _below(name, load(name)) if name != "version" else (name,)


def _below(name: str, command: click.Command) -> Iterator[str]:
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield name
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            yield from _below(f"{name} {below}", one)


def rows(out: str) -> list[Row]:
    """What a list printed as JSON."""
    return list(json.loads(out))


def names(out: str) -> list[str]:
    """What each row of a list that was printed as JSON is called."""
    return [row["name"] for row in rows(out)]


def _filled(text: str, scene: Scene) -> str:
    return Template(text).safe_substitute(scene.notes)
