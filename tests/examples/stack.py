"""An example that runs on the lab, as a person has it: by gbnt's commands, and by its ports from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode

from tests.e2e.node import Row, until
from tests.examples.images import EXAMPLES
from tests.lab.lab import Lab
from tests.lab.machine import Machine


class Refused(Exception):
    """An answer that is an error."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack `name`. The first machine is the manager."""

    name: str
    lab: Lab

    @classmethod
    @contextmanager
    def running(cls, name: str, lab: Lab) -> Iterator[Stack]:
        """Deploy an example; nothing is left of it afterwards."""
        one = cls(name, lab)
        try:
            one.deploy()
            yield one
        finally:
            one.manager.ok("stack", "rm", name, "--volumes", "--yes")

    @property
    def manager(self) -> Machine:
        return self.lab.machines[0]

    @property
    def home(self) -> Machine:
        """The machine that it runs on."""
        (home,) = {row["node"] for row in self.manager.rows("stack", "ps", self.name)}
        return next(machine for machine in self.lab.machines if machine.name == home)

    def deploy(self) -> None:
        """Have it run, as its file says."""
        file = EXAMPLES / self.name / "compose.yaml"
        self.manager.ok("stack", "deploy", "--no-build", "-c", str(file), timeout=240)

    def remove(self) -> None:
        """Take it away, but for its volumes."""
        self.manager.ok("stack", "rm", self.name)

    def restart(self, service: str) -> None:
        """Replace the containers of one service."""
        self.manager.ok("service", "restart", f"{self.name}/{service}", "--wait")

    def kill(self, service: str) -> None:
        """Kill the first process of a service's container, and wait until another one is well."""
        home = self.home
        (killed,) = self._containers(home, service)
        home.docker("kill", "--signal", "KILL", killed["Id"])
        until(
            lambda: (
                [
                    row["State"]["Health"]["Status"]
                    for row in self._containers(home, service)
                    if row["Id"] != killed["Id"]
                ]
                == ["healthy"]
            ),
            f"another {service} that is well",
        )

    def _containers(self, machine: Machine, service: str) -> list[Row]:
        return machine.containers(f"label=gbnt.stack={self.name}", f"label=gbnt.service={service}")

    def run(self, service: str, *words: str) -> str:
        """Run a command in a service's first container; what it printed."""
        return self.manager.ok("exec", f"{self.name}-{service}-1", "--", *words)

    def ask(
        self, port: int, path: str = "/", method: str = "GET", body: str | bytes | None = None, **form: str
    ) -> tuple[HTTPResponse, str]:
        """Ask it from another machine; the answer and its text. Raises Refused, OSError."""
        home = self.home
        visitor = next(machine for machine in self.lab.machines if machine != home)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        with visitor.host.space.network():
            connection = HTTPConnection(home.address, port, timeout=10)
            connection.request(method, path, urlencode(form) if form else body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            connection.close()
        if answer.status >= 400:
            raise Refused(f"{method} {path} was answered {answer.status}: {text[-500:]}")
        return answer, text
