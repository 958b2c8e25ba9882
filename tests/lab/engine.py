"""A Docker Engine of the tests' own, in namespaces of its own: to be stopped, killed and cut off at will.

Whatever it starts lives in them, so that closing them is a power cut: engine, containerd, shims and containers are gone
at once.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.node import until
from tests.lab.space import Space

ADDRESSES = "10.98.0.0/24"
POWER = """
hostname {name}
mount -t tmpfs tmpfs /run/docker
[ ! -d /run/containerd ] || mount -t tmpfs tmpfs /run/containerd
mount --bind resolv.conf /etc/resolv.conf
{data}
# As on a real host: Docker itself switches it on, and then drops what it did not allow.
echo 0 >/proc/sys/net/ipv4/ip_forward
"""


@dataclass(slots=True)
class OwnEngine:
    """A dockerd.

    `disk` is the size of its disk as tmpfs has it (`40m`); empty takes the machine's. `name` is its host name.
    `lasting` outlives its maker.
    """

    folder: Path
    disk: str = ""
    name: str = "lonely"
    lasting: bool = False
    space: Space = field(init=False)
    daemon: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.space = Space(self.folder, self.lasting)

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 'docker.sock'}"

    @property
    def cgroup(self) -> str:
        """The control group of its containers, under that of the machine."""
        return "-".join(self.folder.parts[-2:])

    @property
    def log(self) -> str:
        return (self.folder / "dockerd.log").read_text()

    def power_on(self) -> None:
        """The machine is there, its engine not yet."""
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        (self.folder / "data").mkdir(exist_ok=True)
        shutil.rmtree(self.folder / "exec", ignore_errors=True)  # lies in /run on a real machine, and goes with it
        data = f"mount -t tmpfs -o size={self.disk} tmpfs data" if self.disk else ""
        self.space.open(POWER.format(name=shlex.quote(self.name), data=data))

    def power_off(self) -> None:
        """Cut the power: all that runs on it is gone at once."""
        self.space.close()
        if self.daemon is not None:
            self.daemon.wait()
        self.daemon = None

    def launch(self) -> None:
        """Start the engine, and do not wait."""
        data, run = self.folder / "data", self.folder / "exec"
        words = ("dockerd", "--data-root", data, "--exec-root", run, "-p", run / "pid")
        place = ("-H", self.url, "--cgroup-parent", f"/{self.cgroup}", "--exec-opt", "native.cgroupdriver=cgroupfs")
        trusted = ("--insecure-registry", ADDRESSES)  # as 127.0.0.0/8 is: a registry there needs no certificate
        with (self.folder / "dockerd.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                self.space.entering(*words, *place, *trusted),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the engine and wait until it answers."""
        self.launch()
        until(lambda: self.answers() or self._gave_up(), "an engine that answers")
        assert not self._gave_up(), self.log[-2000:]

    def end(self, signal: str = "TERM") -> None:
        """End this one daemon and wait for its end; what becomes of its containers is its own affair."""
        number = (self.folder / "exec" / "pid").read_text()
        subprocess.run(self.space.entering("kill", "-s", signal, number), check=True)
        if self.daemon is not None:  # or another process started it
            self.daemon.wait()
        if signal == "KILL":
            (self.folder / "exec" / "pid").unlink(missing_ok=True)  # its number may be another process's by now

    def answers(self) -> bool:
        """Whether the engine says what version it is."""
        return self._docker("version").returncode == 0

    def _gave_up(self) -> bool:
        return self.daemon is not None and self.daemon.poll() is not None

    def load(self, image: str) -> None:
        """Copy an image from this machine's engine."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            subprocess.run(
                ["docker", "-H", self.url, "load", "-q"], stdin=saved.stdout, stdout=subprocess.DEVNULL, check=True
            )

    def clean(self) -> None:
        """Leave nothing: processes, namespaces, mounts, control groups, files."""
        self.power_off()
        groups = Path("/sys/fs/cgroup")
        for root in (*groups.glob(self.cgroup), *groups.glob(f"*/{self.cgroup}")):
            for path, _, _ in os.walk(root, topdown=False):
                os.rmdir(path)
        shutil.rmtree(self.folder)

    def _docker(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["docker", "-H", self.url, *words], capture_output=True)


@contextmanager
def own_engine(disk: str = "") -> Iterator[OwnEngine]:
    """An engine that is up and has busybox, and is gone afterwards."""
    engine = OwnEngine(Path(tempfile.mkdtemp(prefix="gbnt-engine-", dir="/tmp")), disk)
    try:
        engine.power_on()
        engine.start()
        engine.load("busybox")
        yield engine
    finally:
        engine.clean()
