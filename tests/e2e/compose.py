"""A project that `docker-compose` really runs, in a folder of its own, with nothing left of it afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LABEL = "com.docker.compose.project"


@dataclass(frozen=True, slots=True)
class Compose:
    """The project `name`, of the file in `folder`."""

    name: str
    folder: Path

    def write(self, text: str) -> None:
        """Put this into the file."""
        (self.folder / "docker-compose.yml").write_text(text)

    def run(self, *words: str) -> None:
        """Have `docker-compose` do something."""
        command = ["docker-compose", "-p", self.name, *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def up(self, text: str) -> None:
        """Run the project by a file of this text."""
        self.write(text)
        self.run("up", "-d")

    def containers(self, *, running: bool = True) -> dict[str, dict[str, Any]]:
        """Its containers as `docker inspect` gives them, by name."""
        words = ["ps", "-q", "--no-trunc", *([] if running else ["-a"]), "--filter", f"label={LABEL}={self.name}"]
        ids = docker(*words).split()
        seen = json.loads(docker("inspect", *ids)) if ids else []
        return {one["Name"].removeprefix("/"): one for one in seen}

    def clean(self) -> None:
        """Leave nothing of it: containers, networks, volumes."""
        for listed, removed in ((("ps", "-aq"), ("rm", "-fv")), (("network", "ls", "-q"), ("network", "rm"))):
            ids = docker(*listed, "--filter", f"label={LABEL}={self.name}").split()
            if ids:
                docker(*removed, *ids)
        subprocess.run(["docker", "volume", "rm", f"{self.name}_data"], capture_output=True, check=False)


def docker(*words: str) -> str:
    """Ask the engine itself; what it printed."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout


@contextmanager
def compose() -> Iterator[Compose]:
    """A project that does not run yet."""
    with tempfile.TemporaryDirectory(prefix="gbnt-compose-") as folder:
        one = Compose(f"adopt{os.getpid()}", Path(folder))
        try:
            yield one
        finally:
            one.clean()
