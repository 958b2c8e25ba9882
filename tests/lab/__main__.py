"""The lab by hand: what `scripts/lab.sh` runs. One lab at a time, which outlives this process."""

from __future__ import annotations

import argparse
import math
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.home import Home
from tests.e2e.node import until
from tests.lab.lab import Lab, plan
from tests.lab.machine import Machine

FOLDER = Path("/var/lib/gbnt-lab")
LONGEST = 60
FIRST_WORDS = """\
{names}: one cluster. For example:
  scripts/lab.sh exec {first} gbnt node ls     run a command on the manager
  scripts/lab.sh exec {first} gbnt stack deploy -c examples/hello/compose.yaml
  scripts/lab.sh exec {last}                  a shell on another machine
  scripts/lab.sh cut {last}                   no packet passes between it and the others
  scripts/lab.sh heal                         all packets pass again
  scripts/lab.sh lose 20 {last}               so many percent of its packets are lost, until `heal`
  scripts/lab.sh delay 0.1 {last}             each of its packets takes so many seconds longer, until `heal`
  scripts/lab.sh off {last}                   cut its power; `on` brings it back
  scripts/lab.sh kill {last}                  kill its gbnt, or by `kill-engine` its engine; `revive` starts both again
  make lab-down                               leave nothing
logs: {folder}/MACHINE/serve.log, {folder}/MACHINE/dockerd.log"""


def main() -> None:
    """Read the command line, and do it."""
    asked = arguments().parse_args()
    if asked.verb == "up":
        up(asked.folder, asked.count)
    else:
        do(asked, standing(asked.folder))


def arguments() -> argparse.ArgumentParser:
    """What may be asked."""
    parser = argparse.ArgumentParser(prog="scripts/lab.sh", description="Machines of their own on this one.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where the lab keeps all of it [{FOLDER}]")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="machines that are joined to one cluster").add_argument("count", type=int)
    verbs.add_parser("down", help="leave nothing of them")
    verbs.add_parser("cut", help="let no packet pass between these and the others").add_argument("machines", nargs="+")
    lose = verbs.add_parser("lose", help="lose packets between these and the others, by chance")
    lose.add_argument("percent", type=int, choices=range(1, 100), metavar="percent")
    lose.add_argument("machines", nargs="+")
    delay = verbs.add_parser("delay", help="let each packet to and from these take so long")
    delay.add_argument("seconds", type=length)
    delay.add_argument("machines", nargs="+")
    verbs.add_parser("heal", help="let all packets pass again")
    verbs.add_parser("off", help="cut the power of these").add_argument("machines", nargs="+")
    verbs.add_parser("on", help="switch these on: engine and gbnt").add_argument("machines", nargs="+")
    verbs.add_parser("kill", help="kill gbnt on these, and nothing else").add_argument("machines", nargs="+")
    verbs.add_parser("kill-engine", help="kill the engine on these").add_argument("machines", nargs="+")
    verbs.add_parser("revive", help="start what was killed on these").add_argument("machines", nargs="+")
    inside = verbs.add_parser("exec", help="run a command on a machine; without one, a shell")
    inside.add_argument("machines", nargs=1, metavar="machine")
    inside.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def length(text: str) -> float:
    """Seconds, as far as they are some. Raises ArgumentTypeError."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f'a number of seconds up to {LONGEST} is needed, not "{text}"')
    return seconds


def up(folder: Path, count: int) -> None:
    """Make a lab, or leave nothing."""
    if folder.exists():
        sys.exit(f"a lab is in {folder} already; make lab-down ends it")
    folder.mkdir(mode=0o700)
    lab = plan(folder, count, lasting=True)
    try:
        lab.up()
        lab.legion()
    except BaseException:
        lab.down()
        raise
    names = [machine.name for machine in lab.machines]
    print(FIRST_WORDS.format(names=", ".join(names), first=names[0], last=names[-1], folder=folder))


def standing(folder: Path) -> Lab:
    """The lab that another process made."""
    count = len(list(folder.glob("rome-*")))
    if not count:
        sys.exit("there is no lab here; make lab NODES=3 starts one")
    return plan(folder, count, lasting=True)


def do(asked: argparse.Namespace, lab: Lab) -> None:
    """What is done with a lab that stands."""
    machines = named(lab, getattr(asked, "machines", ()), on=asked.verb != "on")
    match asked.verb:
        case "down":
            lab.down()
        case "cut":
            lab.cut(*machines)
        case "lose":
            lab.lose(asked.percent, *machines)
        case "delay":
            lab.delay(asked.seconds, *machines)
        case "heal":
            lab.heal()
        case "off":
            for machine in machines:
                machine.power_off()
        case "on":
            for machine in machines:
                boot(machine)
        case "kill":
            for machine in machines:
                os.kill(gbnt_of(machine) or sys.exit(f"no gbnt runs on {machine.name}"), signal.SIGKILL)
        case "kill-engine":
            for machine in machines:
                machine.host.end("KILL")
        case "revive":
            for machine in machines:
                revive(machine)
        case "exec":
            enter(machines[0], asked.command or ["sh"])


def named(lab: Lab, names: Sequence[str], on: bool) -> list[Machine]:
    """The machines of these names, if all are on, or off."""
    known = {machine.name: machine for machine in lab.machines}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"there is no {unknown[0]} here, but {', '.join(known)}")
    if other := [name for name in names if known[name].host.space.is_open != on]:
        sys.exit(f"{other[0]} is off: scripts/lab.sh on {other[0]}" if on else f"{other[0]} is on already")
    return [known[name] for name in names]


def boot(machine: Machine) -> None:
    """All that a machine starts by itself when it is switched on."""
    machine.power_on()
    machine.launch()
    until(machine.health, f"a gbnt on {machine.name}")


def gbnt_of(machine: Machine) -> int:
    """The process that answers at the machine's admin socket; 0 where none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(Home(machine.data, make=False).admin_socket))
        except OSError:
            return 0
        return int(struct.unpack("3i", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])


def revive(machine: Machine) -> None:
    """Start its engine and its gbnt, those that do not run."""
    if not machine.host.answers():
        machine.host.start()
    if not gbnt_of(machine):
        machine.launch()
    until(machine.is_well, f"a gbnt that is well on {machine.name}")


def enter(machine: Machine, command: list[str]) -> None:
    """Become a command on a machine, in the folder where it was asked for."""
    words = [*machine.place, "env", f"--chdir={Path.cwd()}", *command]
    os.execvpe(words[0], words, machine.environment)


if __name__ == "__main__":
    main()
