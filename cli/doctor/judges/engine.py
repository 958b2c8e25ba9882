"""The container engine."""

from __future__ import annotations

from collections.abc import Iterator

from cli.doctor.facts import Down, Engine
from cli.doctor.finding import Finding, Unseen, ok, problem, unseen, warning

SLOW_DRIVERS = ("vfs", "devicemapper", "aufs")
DAEMON = "/etc/docker/daemon.json"


def judged(engine: Engine | Down | Unseen) -> Iterator[Finding]:
    """Whether gbnt can work with it, and what it lacks."""
    match engine:
        case Unseen():
            yield unseen("engine", engine, "run `gbnt doctor` as root, or as a member of the group docker")
        case Down(why):
            yield problem("engine", why, "sudo systemctl enable --now docker")
        case Engine(refused=refused) if refused:
            yield problem("engine", refused, "install Docker Engine 20.10 or newer")
        case Engine():
            yield ok("engine", f"Docker Engine {engine.version}")
            yield from _kind(engine)
            yield from _storage(engine)
            yield from _swarm(engine)


def _kind(engine: Engine) -> Iterator[Finding]:
    if engine.rootless:
        yield problem(
            "rootless",
            "the engine runs without root: its networks are not this machine's, so names do not resolve in them",
            "install Docker Engine as root, or point DOCKER_HOST at the one that is",
        )
    if not engine.limits:
        yield warning(
            "cgroups",
            f"cgroup v{engine.cgroups} without limits of memory or CPU: what compose files set of them is not kept",
            "boot the kernel with cgroup_enable=memory",
        )
    elif engine.cgroups == "1":
        yield warning(
            "cgroups",
            "cgroup v1, which new releases of Docker Engine drop",
            "boot the kernel with systemd.unified_cgroup_hierarchy=1",
        )
    else:
        yield ok("cgroups", f"cgroup v{engine.cgroups}, limits are kept")
    if engine.live_restore:
        yield ok("live-restore", "containers run on while the engine restarts")
    else:
        yield warning(
            "live-restore",
            "off: a restart of the engine restarts all containers",
            f'put "live-restore": true into {DAEMON}, then `sudo systemctl reload docker`',
        )


def _storage(engine: Engine) -> Iterator[Finding]:
    if engine.driver in SLOW_DRIVERS:
        found = f"{engine.driver}: slow, or no longer kept"
        yield warning("storage", found, f'put "storage-driver": "overlay2" into {DAEMON}; images are pulled again')
    else:
        yield ok("storage", engine.driver)


def _swarm(engine: Engine) -> Iterator[Finding]:
    if engine.swarm in ("", "inactive"):
        yield ok("swarm", "this engine is in none")
        return
    yield warning(
        "swarm",
        f"this engine is in a Docker Swarm ({engine.swarm}): its published ports, and port 4789/udp, may clash",
        "move its services, then `docker swarm leave`",
    )
