"""A real `gbnt serve` on a real engine, in a folder and on ports of its own, with nothing left of it afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE = 60.0
PROGRAM = (sys.executable, "-m", "gubernator")
Row = dict[str, Any]


def until(met: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Ask until the answer is true, and return it. Fails naming what was waited for."""
    deadline = time.monotonic() + patience
    while not (answer := met()):
        if time.monotonic() > deadline:
            raise AssertionError(f"within {patience:g} s there was not: {what}")
        time.sleep(0.05)
    return answer


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that it said."""
        return self.out + self.err


@dataclass(slots=True)
class Node:
    """One manager. `engine` is the engine's URL; `program` what runs `serve`, another one to put faults in.

    `client` is what runs every other command; `cwd` the folder that both run in; `state` the data directory's name.
    """

    folder: Path
    engine: str = ""
    program: Sequence[str] = (*PROGRAM, "serve")
    client: Sequence[str] = PROGRAM
    cwd: Path | None = None
    state: str = "data"
    api_port: int = field(default_factory=lambda: free_port())
    telemetry_port: int = field(default_factory=lambda: free_port())
    link_port: int = field(default_factory=lambda: free_port())
    extra: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / self.state

    @property
    def log(self) -> str:
        return (self.folder / "serve.log").read_text() if (self.folder / "serve.log").exists() else ""

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GBNT")}
        own = {"GBNT_DATA_DIR": str(self.data), "GBNTCTL_CONFIG": str(self.folder / "config")}
        told = {"GBNT_NETWORK_POOL": self.pool, "DOCKER_HOST": self.engine}
        return {**kept, **own, **{name: value for name, value in told.items() if value}, **self.extra}

    @property
    def pool(self) -> str:
        """The range of its networks; empty is gbnt's own choice.

        One of its own: the resolver of another cluster on this machine may still hold a gateway that was ours.
        """
        return f"10.{100 + self.api_port % 100}.0.0/16"

    @property
    def place(self) -> Sequence[str]:
        """What takes a command to where the node is."""
        return ()

    @property
    def doors(self) -> tuple[str, ...]:
        """The options that say where it listens."""
        ports = {"--api-port": self.api_port, "--telemetry-port": self.telemetry_port, "--link-port": self.link_port}
        return ("--bind", "127.0.0.1", *(word for option, port in ports.items() for word in (option, str(port))))

    def launch(self, *options: str) -> None:
        """Start it, and do not wait."""
        self.begin(*self.program, *self.doors, *options)

    def begin(self, *words: str) -> None:
        """Start the process that is to be this node's gbnt, and do not wait."""
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.place, *words],
                env=self.environment,
                cwd=self.cwd,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(self, *options: str) -> None:
        """Start it and wait until it is well."""
        self.launch(*options)
        self.settle()

    def settle(self) -> None:
        """Wait until what was started is well."""
        try:
            until(lambda: self.is_well() or self._ended, "a node that is well")
        except AssertionError as error:
            raise AssertionError(f"{error}; its log: {self.log[-2000:]}") from None
        assert not self._ended, f"it ended at once: {self.log[-2000:]}"

    @property
    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def is_well(self) -> bool:
        return self.health().get("status") == "ok"

    def health(self) -> Row:
        """What /ready says; empty where nobody answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.telemetry_port}/ready", timeout=2) as answer:
                return dict(json.load(answer))
        except URLError as error:
            body = getattr(error, "read", lambda: b"")()
            return dict(json.loads(body)) if body else {}
        except OSError:
            return {}

    def kill9(self) -> None:
        """As if the power of this one process were cut."""
        assert self.process is not None
        self.send(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self.process is not None and self.process.poll() is None:
            self.send(signal.SIGTERM)
            self.process.wait(30)

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def gbnt(self, *words: str, stdin: str | None = None, timeout: float = 120.0) -> Ended:
        """Run a command against it."""
        command = [*self.place, *self.client, *words]
        ended = subprocess.run(
            command, env=self.environment, cwd=self.cwd, capture_output=True, text=True, input=stdin, timeout=timeout
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def ok(self, *words: str, timeout: float = 120.0) -> str:
        """Run a command that has to succeed; what it printed."""
        ended = self.gbnt(*words, timeout=timeout)
        assert ended.code == 0, f"gbnt {' '.join(words)} ended with {ended.code}: {ended.text}"
        return ended.out

    def rows(self, *words: str) -> list[Row]:
        """What a listing command gives as JSON."""
        return list(json.loads(self.ok(*words, "-o", "json")))

    def deploy(self, text: str, name: str, *options: str, timeout: float = 120.0) -> Ended:
        """Deploy a compose file of this text."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "compose.yaml").write_text(text)
        return self.gbnt("stack", "deploy", "-c", str(folder / "compose.yaml"), name, *options, timeout=timeout)

    def bring_up(self, text: str, name: str) -> None:
        """Deploy a compose file and have it run, without the time that a verdict on it takes."""
        assert (ended := self.deploy(text, name, "--detach")).code == 0, ended.text
        until(
            lambda: [row for row in self.rows("stack", "ls") if (row["name"], row["status"]) == (name, "running")], name
        )

    def docker(self, *words: str) -> str:
        """Ask the engine itself; what it printed."""
        ended = subprocess.run(["docker", *words], env=self.environment, capture_output=True, text=True)
        assert ended.returncode == 0, f"docker {' '.join(words)}: {ended.stderr}"
        return ended.stdout

    def containers(self, *filters: str, running: bool = True) -> list[Row]:
        """The engine's own view of this cluster's containers, as `docker inspect` gives it."""
        label = f"label=gbnt.cluster={self.cluster}"
        chosen = [word for value in (label, *filters) for word in ("--filter", value)]
        ids = self.docker("ps", "-q", "--no-trunc", *([] if running else ["-a"]), *chosen).split()
        # Its exit code tells of containers that went meanwhile; the others are printed all the same.
        seen = subprocess.run(["docker", "inspect", *ids], env=self.environment, capture_output=True) if ids else None
        return list(json.loads(seen.stdout)) if seen else []

    @property
    def cluster(self) -> str:
        return str(json.loads((self.data / "node.json").read_text())["cluster"])

    def resolve(self, network: str, name: str) -> list[str]:
        """What the resolver answers for a name on one of the engine's networks, asked from the host."""
        import dnslib

        gateway = json.loads(self.docker("network", "inspect", network))[0]["IPAM"]["Config"][0]["Gateway"]
        question = dnslib.DNSRecord.question(name).pack()
        # From loopback: what leaves by another address of this machine would be masqueraded into a stranger's. By TCP:
        # all answers, however many.
        with socket.create_connection((gateway, 53), timeout=2, source_address=("127.0.0.1", 0)) as channel:
            channel.sendall(len(question).to_bytes(2, "big") + question)
            stream = channel.makefile("rb")
            answer = stream.read(int.from_bytes(stream.read(2), "big"))
        return [str(record.rdata) for record in dnslib.DNSRecord.parse(answer).rr]

    def clean(self) -> None:
        """Leave nothing: process, resolver, containers, networks, volumes."""
        if self.process is not None and self.process.poll() is None:
            self.kill9()
        self.end_resolver()
        if (self.data / "node.json").exists():
            self._clean_engine()

    def end_resolver(self) -> None:
        """End what outlives gbnt."""
        words = ("resolver", "--stop", "--runtime-dir", str(self.data / "run"))
        subprocess.run([*self.place, *self.client, *words], check=False)

    def _clean_engine(self) -> None:
        chosen = ("--filter", f"label=gbnt.cluster={self.cluster}")
        for list_words, remove_words in (
            (("ps", "-aq"), ("rm", "-fv")),
            (("network", "ls", "-q"), ("network", "rm")),
            (("volume", "ls", "-q"), ("volume", "rm", "-f")),
        ):
            ids = self.docker(*list_words, *chosen).split()
            if ids:
                subprocess.run(["docker", *remove_words, *ids], env=self.environment, capture_output=True, check=False)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def node(**fields: Any) -> Iterator[Node]:
    """A node that is not started yet, and is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gbnt-", dir="/tmp"))  # short: a unix socket's path has 107 bytes
    one = Node(folder, **fields)
    try:
        yield one
    finally:
        one.clean()
        shutil.rmtree(folder, ignore_errors=True)
