"""A registry from Debian's package docker-registry, on loopback: Docker trusts 127.0.0.0/8 without TLS."""

import json
import shutil
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.registries import Credential

# NERO's sign-in, as the registry keeps it: by bcrypt.
ACCOUNT = "nero:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n"
NERO = Credential("nero", "open sesame")
CONFIG = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "{address}"}}
"""
LOCK = """
auth: {{htpasswd: {{realm: legion, path: {accounts}}}}}
"""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry that answers at `address`. `login` is a folder with Docker's sign-in to it, where it wants one.

    `engine` is what images are pushed from, as in `DOCKER_HOST`; empty is this machine's own.
    """

    address: str
    login: Path | None = None
    engine: str = ""

    @classmethod
    @contextmanager
    def serving(
        cls, folder: Path, *, private: bool = False, host: str = "127.0.0.1", engine: str = ""
    ) -> Iterator["Registry"]:
        """Run one that keeps its images in `folder`, for as long as the context lasts; `private` is for NERO alone."""
        program = shutil.which("docker-registry")
        if program is None:
            pytest.fail("docker-registry is not installed; `make setup` installs it")
        with socket.socket() as probe:
            probe.bind((host, 0))
            address = f"{host}:{probe.getsockname()[1]}"
        config = folder / "config.yml"
        config.write_text(CONFIG.format(root=folder / "images", address=address) + (lock(folder) if private else ""))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log)
        try:
            _wait_for(address, process)
            yield cls(address, signed_in(folder, address) if private else None, engine)
        finally:
            process.terminate()
            process.wait()

    def push(self, image: str, name: str) -> str:
        """Put a local image there, and there alone; its reference."""
        reference = f"{self.address}/{name}:latest"
        to = ("-H", self.engine) if self.engine else ()
        docker(*to, "tag", image, reference)
        docker(*to, *(("--config", str(self.login)) if self.login else ()), "push", "-q", reference)
        docker(*to, "image", "rm", reference)
        return reference


def lock(folder: Path) -> str:
    """What a registry's configuration says so that NERO alone gets in; who that is lies in the folder."""
    (folder / "accounts").write_text(ACCOUNT)
    return LOCK.format(accounts=folder / "accounts")


def signed_in(folder: Path, address: str) -> Path:
    """A configuration of Docker's command line that is signed in there as NERO: its folder."""
    login = folder / "docker"
    login.mkdir()
    auth = b64encode(f"{NERO.username}:{NERO.password}".encode()).decode()
    (login / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))
    return login


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
