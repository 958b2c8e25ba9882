"""A registry on loopback, from Debian's package docker-registry: Docker trusts 127.0.0.0/8 without TLS."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

CONFIG = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "{address}"}}
"""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry that answers at `address`."""

    address: str

    @classmethod
    @contextmanager
    def serving(cls, folder: Path) -> Iterator["Registry"]:
        """Run one that keeps its images in `folder`, for as long as the context lasts."""
        program = shutil.which("docker-registry")
        if program is None:
            pytest.fail("docker-registry is not installed; `make setup` installs it")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        config = folder / "config.yml"
        config.write_text(CONFIG.format(root=folder / "images", address=address))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log)
        try:
            _wait_for(address, process)
            yield cls(address)
        finally:
            process.terminate()
            process.wait()

    def push(self, image: str, name: str) -> str:
        """Put a local image there, and there alone; its reference."""
        reference = f"{self.address}/{name}:latest"
        docker("tag", image, reference)
        docker("push", "-q", reference)
        docker("image", "rm", reference)
        return reference


def docker(*arguments: str) -> str:
    """What Docker's own command line prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    host, _, port = address.partition(":")
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"docker-registry ended with {process.returncode}")
