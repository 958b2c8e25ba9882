"""A manager of the benchmark's own: in a folder and on ports of its own, gone with all its containers afterwards."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0


class Manager:
    """`gbnt serve` as a child process. `gbnt(*words)` runs a command against it and returns what it printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api_port, self.telemetry_port, self.link_port = _free_port(), _free_port(), _free_port()
        self.environment = {
            **os.environ,
            "GBNTCTL_CONFIG": str(folder / "config"),
            "GBNT_DATA_DIR": str(folder / "data"),
            "GBNT_NETWORK_POOL": "10.214.0.0/16",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is well."""
        ports = ["--api-port", str(self.api_port), "--telemetry-port", str(self.telemetry_port)]
        ports += ["--link-port", str(self.link_port)]
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*PROGRAM, "serve", "--bind", "127.0.0.1", *ports], env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while not self._is_well():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"gbnt serve does not answer: {(self.folder / 'serve.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def gbnt(self, *words: str) -> str:
        """Run a command; raises subprocess.CalledProcessError where it fails."""
        ended = subprocess.run([*PROGRAM, *words], env=self.environment, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise RuntimeError(f"gbnt {' '.join(words)} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        return ended.stdout

    def rows(self, *words: str) -> list[dict[str, object]]:
        """What a listing command prints as JSON."""
        found: list[dict[str, object]] = json.loads(self.gbnt(*words, "-o", "json"))
        return found

    def stop(self) -> None:
        """End it in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def _is_well(self) -> bool:
        from urllib.error import URLError
        from urllib.request import urlopen

        try:
            with urlopen(f"http://127.0.0.1:{self.telemetry_port}/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


PROGRAM = (sys.executable, "-m", "gubernator")


@contextmanager
def manager() -> Iterator[Manager]:
    """A running manager; its stacks, its resolver and its folder are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gbnt-bench-"))
    ours = Manager(folder)
    try:
        ours.start()
        yield ours
    finally:
        try:
            for stack in ours.rows("stack", "ls"):
                ours.gbnt("stack", "rm", str(stack["name"]), "--yes")
        finally:
            ours.stop()
            _stop_resolver(folder / "data" / "run")
            shutil.rmtree(folder, ignore_errors=True)


def _stop_resolver(runtime: Path) -> None:
    """The resolver outlives gbnt by design; here nothing may be left."""
    import anyio

    from network.keeper import ResolverKeeper

    anyio.run(ResolverKeeper(runtime, command=PROGRAM).stop)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
