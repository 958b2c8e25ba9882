"""A machine of the lab: a network card, an engine and gbnt, on ports that are the same on each, as on real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.client import Client
from cli.connect import connect
from cli.options import API_PORT, TELEMETRY_PORT
from tests.e2e.node import Ended, Node, Row
from tests.lab.engine import OwnEngine
from tests.lab.space import only_child
from tests.lab.switch import Switch, address

PROGRAMS = Path(sys.executable).parent


@dataclass(slots=True)
class Machine(Node):
    """A node with a machine of its own. `host` is its namespaces and its engine."""

    switch: Switch = field(kw_only=True)
    number: int = field(kw_only=True)
    host: OwnEngine = field(init=False)
    state: str = "state"
    api_port: int = API_PORT
    telemetry_port: int = TELEMETRY_PORT

    def __post_init__(self) -> None:
        self.host = OwnEngine(self.folder, name=self.name, lasting=self.switch.lasting)
        self.engine = self.host.url
        self.extra = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "PS1": f"{self.name}# "}

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def address(self) -> str:
        return address(self.number)

    @property
    def place(self) -> Sequence[str]:
        return self.host.space.entering()

    @property
    def pool(self) -> str:
        return ""

    @property
    def doors(self) -> tuple[str, ...]:
        return ()

    def power_on(self) -> None:
        """Power, network and engine; gbnt is not started."""
        self.host.power_on()
        self.switch.plug(self.number, self.host.space)
        self.host.start()

    def power_off(self) -> None:
        """Cut the power: engine, containers, gbnt and resolver are gone at once."""
        self.switch.unplug(self.number)
        self.host.power_off()
        if self.process is not None:
            self.process.wait()
        self.process = None

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(only_child(self.process.pid), number)

    def health(self) -> Row:
        with self.host.space.network():
            return Node.health(self)

    @property
    def api(self) -> Client:
        """The manager on it, without a command's start of half a second: for what is asked again and again."""
        return connect(socket_first=True, environment=self.environment)

    def run(self, *words: str, stdin: str | None = None) -> Ended:
        """Run any command on it."""
        ended = subprocess.run(
            [*self.place, *words], env=self.environment, capture_output=True, text=True, input=stdin, timeout=120
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def paste(self, line: str) -> None:
        """Run a line that becomes this node's gbnt, as a person does who pastes it into a terminal."""
        self.begin("sh", "-c", f"exec {line}")

    def clean(self) -> None:
        """Leave nothing of it."""
        self.host.clean()
        if self.process is not None:
            self.process.wait()
