"""A second Docker Engine, the tests' own: in namespaces of its own, to be stopped, killed and cut off at will.

One process holds its network, mount and process namespaces. Whatever the engine starts lives in them, so that ending
that one process is a power cut: engine, containerd, shims and containers are gone at once.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.node import until

CLONE_NEWNET = 0x40000000
# The first process of a process namespace has to bury the orphans, which `wait` does.
HOLD = """
mount -t tmpfs tmpfs /run/docker
[ ! -d /run/containerd ] || mount -t tmpfs tmpfs /run/containerd
mount --bind {folder}/resolv.conf /etc/resolv.conf
{data}
ip link set lo up
# As on a real host: Docker itself switches it on, and then drops what it did not allow.
echo 0 >/proc/sys/net/ipv4/ip_forward
touch {folder}/held
sleep infinity &
wait
"""


@dataclass(slots=True)
class OwnEngine:
    """A dockerd. `disk` is the size of its disk as tmpfs has it (`40m`); empty takes the machine's."""

    folder: Path
    disk: str = ""
    holder: subprocess.Popen[bytes] | None = None
    daemon: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def _socket(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def _cgroup(self) -> str:
        return self.folder.name

    @property
    def log(self) -> str:
        return (self.folder / "dockerd.log").read_text()

    def power_on(self) -> None:
        """The machine is there, its engine not yet."""
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "held").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "exec", ignore_errors=True)  # lies in /run on a real machine, and goes with it
        data = f"mount -t tmpfs -o size={self.disk} tmpfs {self.folder}/data" if self.disk else ""
        script = HOLD.format(folder=shlex.quote(str(self.folder)), data=data)
        kinds = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        with (self.folder / "holder.log").open("ab") as log:
            self.holder = subprocess.Popen(["unshare", *kinds, "sh", "-ec", script], stdout=log, stderr=log)
        until((self.folder / "held").exists, "namespaces of the engine's own")

    def power_off(self) -> None:
        """Cut the power: all that runs on it is gone at once."""
        if self.holder is not None:
            # The namespaces' first process takes all the others with it; its parent only waits for it.
            os.kill(self._first, 9)
            self.holder.wait()
        if self.daemon is not None:
            self.daemon.wait()
        self.holder = self.daemon = None

    def launch(self) -> None:
        """Start the engine, and do not wait."""
        data, run = self.folder / "data", self.folder / "exec"
        words = ("dockerd", "--data-root", data, "--exec-root", run, "-p", run / "pid")
        place = ("-H", self.url, "--cgroup-parent", f"/{self._cgroup}", "--exec-opt", "native.cgroupdriver=cgroupfs")
        with (self.folder / "dockerd.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                self._entering(*words, *place), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def start(self) -> None:
        """Start the engine and wait until it answers."""
        self.launch()
        until(lambda: self.answers() or self._gave_up(), "an engine that answers")
        assert not self._gave_up(), self.log[-2000:]

    def end(self, signal: str = "TERM") -> None:
        """End this one daemon and wait for its end; what becomes of its containers is its own affair."""
        assert self.daemon is not None
        number = (self.folder / "exec" / "pid").read_text()
        subprocess.run(self._entering("kill", "-s", signal, number), check=True)
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

    @contextmanager
    def network(self) -> Iterator[None]:
        """Be on the engine's network: this thread's sockets, and the processes that it starts.

        The resolver has to listen on the gateways of the engine's networks, which are nowhere else.
        """
        with open("/proc/thread-self/ns/net") as home, open(f"/proc/{self._first}/ns/net") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def clean(self) -> None:
        """Leave nothing: processes, namespaces, mounts, control groups, files."""
        self.power_off()
        groups = Path("/sys/fs/cgroup")
        for root in (*groups.glob(self._cgroup), *groups.glob(f"*/{self._cgroup}")):
            for path, _, _ in os.walk(root, topdown=False):
                os.rmdir(path)
        shutil.rmtree(self.folder)

    @property
    def _first(self) -> int:
        """The first process of the namespaces, by its number out here."""
        assert self.holder is not None
        children = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        return int(children.read_text())

    def _entering(self, *words: str | Path) -> list[str]:
        return ["nsenter", "--target", str(self._first), "--net", "--mount", "--pid", "--", *map(str, words)]

    def _docker(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["docker", "-H", self.url, *words], capture_output=True)


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot enter the network namespace")


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
