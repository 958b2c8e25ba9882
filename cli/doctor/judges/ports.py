"""Ports of this machine, those of a manager, and the way back from there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cli.doctor.facts import Back, Manager, Port, Reach
from cli.doctor.finding import Finding, Unseen, ok, problem, unseen, warning


def own_ports(ports: Sequence[Port], role: str) -> Iterator[Finding]:
    """Whether gbnt can listen where it wants to. A worker has no API there."""
    for port in ports:
        check = f"port {port.number}"
        found = f"{port.use}: taken by {port.holder}"
        if isinstance(port.holder, Unseen):
            yield unseen(check, port.holder, "run `gbnt doctor` as root, which shows who has it")
        elif not port.holder:
            yield ok(check, f"{port.use}: free")
        elif port.ours:
            yield ok(check, f"{port.use}: held by gbnt itself")
        elif role == "worker" and port.use == "API":
            yield warning(check, found, "nothing now: this node needs the port once it is promoted to a manager")
        else:
            yield problem(check, found, f"stop that process{_elsewhere(port)}")


def ways(manager: Manager) -> Iterator[Finding]:
    """Whether this machine reaches the manager."""
    for reach in manager.reaches:
        check = f"to {reach.target}"
        if not reach.failure:
            yield ok(check, "can be reached")
        else:
            yield problem(check, reach.failure, _way_there(reach))


def way_back(manager: Manager, role: str) -> Iterator[Finding]:
    """Whether the manager reaches this machine, which control can do without."""
    check, back = f"back from {manager.name}", manager.back
    if isinstance(back, Unseen):
        fix = "as root on a node, or with a join token: `gbnt doctor --manager HOST:PORT --token-file FILE`"
        yield unseen(check, back, fix)
        return
    links = back.target.rpartition(":")[2]
    fix = f"let {links}/tcp in to this machine{'' if role == 'manager' else _WORKS_WITHOUT}"
    if not back.reached:
        judged = problem if role == "manager" else warning
        yield judged(check, f"cannot connect to {back.target}: {back.reason}", fix)
    elif back.heard is False:
        yield warning(check, f"at {back.target} another machine answers (address translation?)", fix)
    else:
        yield ok(check, f"connects to {back.target}")
    yield from _name(back)


def _name(back: Back) -> Iterator[Finding]:
    if back.name_taken:
        yield warning(
            "host name",
            "another node of the cluster is called the same: this one would get a number behind its name",
            "choose another with --node-name, or with `hostnamectl set-hostname NAME`",
        )
    else:
        yield ok("host name", "no other node of the cluster has it")


_WORKS_WITHOUT = "; it serves without, but a manager that moves cannot call it"


def _elsewhere(port: Port) -> str:
    option = {"API": "--api-port", "telemetry": "--telemetry-port"}.get(port.use, "--link-port")
    return f", or choose another port: `gbnt serve {option} PORT`"


def _way_there(reach: Reach) -> str:
    port = reach.target.rpartition(":")[2]
    if reach.silent:
        return f"let {port}/tcp through between the two machines: on the manager `gbnt doctor` names the command"
    return "see that `gbnt serve` runs there, in this release, and that the address is right (--manager HOST:PORT)"
