"""What the machines are plugged into: a bridge in namespaces of its own, with the faults that it is told to have.

Faults are by rules of nftables between the bridge's ports, so a machine notices nothing but their effect. Delay is by
wires (`tests/lab/wire.py`): not every kernel has netem.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.space import Space

ROOT = Path(__file__).parents[2]
GATEWAY = "10.98.0.254"
OPEN = """
ip link add lab type bridge
ip addr add {gateway}/24 dev lab
ip link set lab up
nft -f - <<'RULES'
table bridge lab {{
  set cut {{
    type ether_addr . ether_addr
  }}
  chain loss {{
  }}
  chain forward {{
    type filter hook forward priority 0
    ether saddr . ether daddr @cut drop
    jump loss
  }}
}}
RULES
"""


@dataclass(slots=True)
class Switch:
    """A bridge. Machines are told apart by their numbers; `folder` keeps what names it."""

    folder: Path
    lasting: bool = False
    space: Space = field(init=False)
    wires: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.space = Space(self.folder, self.lasting)

    def open(self) -> None:
        """Make it, with nothing plugged in."""
        self.folder.mkdir()
        self.space.open(OPEN.format(gateway=GATEWAY))

    def plug(self, number: int, machine: Space) -> None:
        """Give a machine its network card and its address."""
        card = f"name eth0 address {_mac(number)} netns {machine.first}"
        self.space.link(f"link add {_port(number)} type veth peer {card}", f"link set {_port(number)} master lab up")
        machine.link(f"addr add {address(number)}/24 dev eth0", "link set eth0 up", f"route add default via {GATEWAY}")

    def unplug(self, number: int) -> None:
        """Take the card away: that of a machine whose power is cut would go, but at a time of the kernel's choice."""
        self._shorten(number)
        self.space.link(f"link del {_port(number)}")

    def cut(self, some: Iterable[int], others: Iterable[int]) -> None:
        """Nothing passes between the ones and the others."""
        self._rule(f"add element bridge lab cut {{ {_pairs(some, others)} }}")

    def lose(self, percent: int, some: Iterable[int], others: Iterable[int]) -> None:
        """Of what passes between the ones and the others so much is lost, by chance."""
        between = f"ether saddr . ether daddr {{ {_pairs(some, others)} }}"
        self._rule(f"add rule bridge lab loss {between} numgen random mod 100 < {percent} drop")

    def delay(self, number: int, seconds: float) -> None:
        """What a machine sends and what it is sent takes so long from now on, whatever it took before."""
        self._shorten(number)
        port, near, far = _port(number), f"near{number}", f"far{number}"
        self.space.link(
            f"link set {port} nomaster",
            f"link add {near} type veth peer name {far}",
            f"link set {near} up",
            f"link set {far} master lab up",
        )
        wire = (sys.executable, "-m", "tests.lab.wire", port, near, str(seconds))
        words = self.space.entering(*wire)
        with (self.folder / "wire.log").open("ab") as log:  # a wire may outlive who laid it, and is to hold up no pipe
            started = subprocess.Popen(
                words,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=self.lasting,
            )
        assert started.stdout is not None
        assert started.stdout.readline(), "the wire carries nothing"
        self.wires[number] = started

    def heal(self) -> None:
        """No cut, no loss, no delay."""
        self._rule("flush set bridge lab cut", "flush chain bridge lab loss")
        for number in self._long():
            self._shorten(number)

    def _long(self) -> list[int]:
        """The machines whose wires are long, by the links alone: another process may have made them so."""
        with self.space.network():
            links = [name for _, name in socket.if_nameindex()]
        return [int(name.removeprefix("near")) for name in links if name.startswith("near")]

    def _shorten(self, number: int) -> None:
        if number in self._long():
            self.space.link(f"link del near{number}", f"link set {_port(number)} master lab")
        if wire := self.wires.pop(number, None):
            wire.communicate()

    def close(self) -> None:
        """Leave nothing of it."""
        self.space.close()
        for wire in self.wires.values():
            wire.communicate()

    def _rule(self, *lines: str) -> None:
        words = self.space.entering("nft", "-f", "-")
        ended = subprocess.run(words, input="\n".join(lines), capture_output=True, text=True)
        assert ended.returncode == 0, f"{lines}: {ended.stderr}"


def address(number: int) -> str:
    """A machine's address."""
    return f"10.98.0.{number}"


def _port(number: int) -> str:
    return f"port{number}"


def _mac(number: int) -> str:
    return f"02:98:00:00:00:{number:02x}"


def _pairs(some: Iterable[int], others: Iterable[int]) -> str:
    far = list(others)
    both = [pair for one in some for other in far for pair in ((one, other), (other, one))]
    return ", ".join(f"{_mac(sender)} . {_mac(receiver)}" for sender, receiver in both)
