"""Namespaces of their own, held by one process: what runs in them is gone, all at once, when that process ends."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.node import until

CLONE_NEWNET = 0x40000000
KINDS = ("--net", "--mount", "--pid", "--uts")
# The first process of a process namespace has to bury the orphans, which `wait` does.
HOLD = """
exec 3<&0
ip link set lo up
{script}
touch held
{while_} <&3 >/dev/null &
wait
"""


@dataclass(slots=True)
class Space:
    """Network, mount, process and host name namespaces.

    `folder` keeps what names it, so that another process finds it again. It ends with its maker, however that ends, but
    for one that is `lasting`.
    """

    folder: Path
    lasting: bool = False
    holder: subprocess.Popen[bytes] | None = None

    def open(self, script: str = "") -> None:
        """Make it. `script` (sh) runs in it first, as its first process, in `folder`."""
        (self.folder / "held").unlink(missing_ok=True)
        words = ("unshare", *KINDS, "--fork", "--kill-child", "--mount-proc")
        # The other end of the pipe is the maker's alone, and is closed when that is gone.
        hold = HOLD.format(script=script, while_="sleep infinity" if self.lasting else "cat")
        with (self.folder / "holder.log").open("ab") as log:
            holder = self.holder = subprocess.Popen(
                [*words, "sh", "-ec", hold, str(self.folder)],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL if self.lasting else subprocess.PIPE,
                start_new_session=True,
            )
        until(lambda: (self.folder / "held").exists() or holder.poll(), "namespaces")
        assert holder.poll() is None, (self.folder / "holder.log").read_text()
        (self.folder / "first").write_text(str(only_child(holder.pid)))

    def close(self) -> None:
        """End all that runs in it, at once."""
        if self.is_open:
            # The first process takes all the others with it; its parent only waits for it.
            os.kill(self.first, 9)
            until(lambda: not self.is_open, "the end of the namespaces")
        if self.holder is not None:
            self.holder.communicate()
        self.holder = None
        (self.folder / "first").unlink(missing_ok=True)

    @property
    def first(self) -> int:
        """Its first process, by its number out here."""
        return int((self.folder / "first").read_text())

    @property
    def is_open(self) -> bool:
        """Whether its first process runs; a number can have passed to another process."""
        try:
            return os.fsencode(self.folder) in Path(f"/proc/{self.first}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False

    def entering(self, *words: str | Path) -> list[str]:
        """The command that runs a command in it."""
        # Not `ip netns exec`: that one hides the cgroups.
        return ["nsenter", "--target", str(self.first), "--net", "--mount", "--pid", "--uts", "--", *map(str, words)]

    def link(self, *lines: str) -> None:
        """Run lines of `ip` in its network; processes go by their numbers out here."""
        words = ["nsenter", f"--net=/proc/{self.first}/ns/net", "ip", "-batch", "-"]
        ended = subprocess.run(words, input="\n".join(lines), capture_output=True, text=True)
        assert ended.returncode == 0, f"{lines}: {ended.stderr}"

    @contextmanager
    def network(self) -> Iterator[None]:
        """Be on its network: this thread's sockets, and the processes that it starts."""
        with open("/proc/thread-self/ns/net") as home, open(f"/proc/{self.first}/ns/net") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())


def only_child(process: int) -> int:
    """The one child of a process, once there is one."""
    children = Path(f"/proc/{process}/task/{process}/children")
    return int(until(children.read_text, f"a child of process {process}"))


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot enter the network namespace")
