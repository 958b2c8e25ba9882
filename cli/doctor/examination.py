"""The whole of it: everything is looked at, and everything is judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cli.doctor.facts import Engine, Facts
from cli.doctor.finding import Finding
from cli.doctor.judges import clock, engine, firewall, kernel, ports, room, subnets
from cli.doctor.probes.engine import engine as look_at_engine
from cli.doctor.probes.firewall import firewalls
from cli.doctor.probes.kernel import kernel as look_at_kernel
from cli.doctor.probes.machine import memory, routes, space, synchronised
from cli.doctor.probes.manager import manager as look_at_manager
from cli.doctor.probes.ports import port
from cli.doctor.setting import Setting


def examine(setting: Setting) -> list[Finding]:
    """Look at this machine, and at the manager where there is one; seconds pass where somebody does not answer."""
    return list(judged(_facts(setting)))


def judged(facts: Facts) -> Iterator[Finding]:
    """What the facts mean, in the order in which a person reads it."""
    yield from ports.own_ports(facts.ports, facts.role)
    if facts.manager is not None:
        yield from ports.ways(facts.manager)
        yield from ports.way_back(facts.manager, facts.role)
        yield from clock.difference(facts.manager)
    yield from clock.synchronisation(facts.synchronised)
    yield from engine.judged(facts.engine)
    yield from kernel.judged(facts.kernel)
    yield from firewall.judged(facts.firewalls, facts.pool)
    yield from subnets.judged(facts.pool, facts.routes, facts.engine)
    yield from room.disks(facts.spaces)
    yield from room.memory(facts.memory)


def _facts(setting: Setting) -> Facts:
    found, manager = look_at_engine(), None
    own = (
        port(setting.api_port, "API"),
        port(setting.telemetry_port, "telemetry"),
        port(setting.link_port, "links between nodes"),
    )
    if setting.manager is not None:
        manager = look_at_manager(setting.manager, setting.manager_links, setting.credential, setting.hostname)
    spaces = [space("gbnt's data", setting.data_dir)]
    if isinstance(found, Engine) and found.root:
        spaces.append(space("the engine", Path(found.root)))
    return Facts(
        role=setting.role,
        pool=setting.pool,
        ports=own,
        manager=manager,
        engine=found,
        kernel=look_at_kernel(),
        firewalls=firewalls(),
        spaces=tuple(spaces),
        memory=memory(),
        routes=routes(),
        synchronised=synchronised(),
    )
