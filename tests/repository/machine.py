"""A machine that a real systemd runs: a container with gbnt in it, on the engine and the network of this one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.e2e.node import PROGRAM, Ended, Node, node, until

STATE = "a state, 50% of $HOME"  # each of these characters means something to systemd
UNIT = "gubernator.service"


@dataclass(frozen=True, slots=True)
class Machine:
    """`node` is its gbnt, `name` the container's."""

    node: Node
    name: str

    def run(self, *command: str) -> Ended:
        """Run a command on it, without a terminal and without gbnt's variables."""
        ended = subprocess.run(["docker", "exec", self.name, *command], capture_output=True, text=True, check=False)
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def ok(self, *command: str) -> str:
        """Run a command that has to succeed; what it printed."""
        ended = self.run(*command)
        assert ended.code == 0, f"{' '.join(command)} ended with {ended.code}: {ended.text}{self.journal()}"
        return ended.out.rstrip("\n")

    def install(self, *options: str) -> Ended:
        """`gbnt serve --install` with the options of the node."""
        pool = ("--network-pool", self.node.environment["GBNT_NETWORK_POOL"])
        where = ("--data-dir", str(self.node.data), *self.node.doors, *pool)
        return self.run("gbnt", "serve", "--install", *where, *options)

    def wait(self) -> None:
        """Wait until it is up, with all that starts with it."""
        until(lambda: self.run("systemctl", "is-system-running").out == "running\n", "a machine that is up")

    def reboot(self) -> None:
        """Have systemd shut it down in order, and start it again."""
        self.node.docker("restart", "--time", "30", self.name)
        self.wait()

    def shown(self, what: str, unit: str = UNIT) -> str:
        """A property of a unit."""
        return self.ok("systemctl", "show", "--value", f"--property={what}", unit)

    def journal(self) -> str:
        """What the unit said."""
        return self.run("journalctl", "--no-pager", "--unit", UNIT).text

    def resolver(self) -> str:
        """The process id of the resolver, in the machine's own counting."""
        return (self.node.data / "run" / "resolver.pid").read_text().strip()

    def unit_of(self, pid: str) -> str:
        """The unit in whose cgroup a process is."""
        groups = self.ok("cat", f"/proc/{pid}/cgroup").splitlines()
        return next(line.rpartition("/")[2] for line in groups if line.startswith("0::"))


@contextmanager
def machine(image: str) -> Iterator[Machine]:
    """A machine that is up, and is gone afterwards with all that gbnt made on the engine."""
    with node(state=STATE) as one:
        name = f"{one.folder.name}-machine"
        # It mounts, and no more than that: neither this machine's settings nor its devices are within its reach.
        rights = ("--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined")
        groups = (
            "--security-opt",
            "apparmor=unconfined",
            "--cgroupns",
            "private",
            "--tmpfs",
            "/run",
            "--tmpfs",
            "/run/lock",
        )
        shared = ("--volume", "/var/run/docker.sock:/var/run/docker.sock", "--volume", f"{one.folder}:{one.folder}")
        one.docker("run", "--detach", "--network", "host", "--name", name, *rights, *groups, *shared, image)
        one.client = ("docker", "exec", name, "gbnt")
        made = Machine(one, name)
        try:
            made.wait()
            yield made
        finally:
            subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False)
            one.client = PROGRAM
