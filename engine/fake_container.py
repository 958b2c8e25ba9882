"""One container of the fake engine: it does what its image says, at the times that its image says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from cluster.container import ContainerSpec
from engine.port import BoundPort, ContainerInfo, ContainerState, Health, LogLine

KILLED, TERMINATED = 137, 143

Step = Literal["exit", "healthy", "unhealthy"]


@dataclass(frozen=True, slots=True)
class FakeImage:
    """How containers of an image behave. Times are seconds; those of a container count from its start.

    `runs_for` None runs until stopped. `healthy_after` None never gets healthy; both health times matter only where
    the image (`healthcheck`) or the container has a check. `stops_in` is how long it takes to end after the stop
    signal, None ignores that. `refuses` is why it cannot be started. `local` is there without a pull. They keep so many
    `cpus` busy, and use so many bytes of `memory`.
    """

    runs_for: float | None = None
    exit_code: int = 0
    oom_killed: bool = False
    healthcheck: bool = False
    healthy_after: float | None = 0.0
    unhealthy_after: float | None = None
    stops_in: float | None = 0.0
    output: tuple[str, ...] = ()
    refuses: str = ""
    pull_seconds: float = 0.0
    size: int = 1_000_000
    local: bool = False
    cpus: float = 0.0
    memory: int = 1_000_000


@dataclass(slots=True, eq=False)
class FakeContainer:
    """A container and what it is going to do: `plan` holds the steps to come, each with its time."""

    id: str
    spec: ContainerSpec
    image: FakeImage
    created_at: float
    state: ContainerState = "created"
    health: Health = ""
    health_log: str = ""
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    started_at: float = 0.0
    finished_at: float = 0.0
    addresses: dict[str, str] = field(default_factory=dict)
    ports: tuple[BoundPort, ...] = ()
    log: list[LogLine] = field(default_factory=list)
    plan: dict[Step, float] = field(default_factory=dict)
    next_exit_code: int = 0

    @property
    def running(self) -> bool:
        return self.state == "running"

    def begin(self, now: float, skew: float = 0.0) -> None:
        """Run, and plan what follows from the image. The time of day is `now` and `skew`."""
        self.state, self.started_at, self.finished_at = "running", now + skew, 0.0
        self.exit_code, self.error, self.oom_killed = None, "", False
        self.health, self.health_log = ("starting" if self._checked else ""), ""
        self.next_exit_code = self.image.exit_code
        offsets: dict[Step, float | None] = {"exit": self.image.runs_for}
        if self._checked:
            offsets |= {"healthy": self.image.healthy_after, "unhealthy": self.image.unhealthy_after}
        self.plan = {step: now + offset for step, offset in offsets.items() if offset is not None}
        for text in self.image.output:
            self.write(text, now + skew)

    def end(self, code: int, now: float, *, oom_killed: bool = False) -> None:
        """Stop running with this exit code."""
        self.state, self.exit_code, self.finished_at, self.oom_killed = "exited", code, now, oom_killed
        self.addresses, self.ports, self.plan = {}, (), {}

    def told_to_stop(self, grace: float, now: float) -> None:
        """Plan the end that a stop signal brings: by itself, or killed when the grace is over."""
        ends = self.image.stops_in
        obeys = ends is not None and ends <= grace
        at = now + (ends if ends is not None and obeys else grace)
        if at < self.plan.get("exit", float("inf")):
            self.plan["exit"] = at
            self.next_exit_code = TERMINATED if obeys else KILLED

    def write(self, text: str, now: float, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Put one line into the log."""
        self.log.append(LogLine(datetime.fromtimestamp(now, UTC).isoformat(), stream, text))

    def info(self) -> ContainerInfo:
        """What the port tells of it."""
        asked = {end.network: end.ipv4_address for end in self.spec.endpoints if end.ipv4_address}
        return ContainerInfo(
            id=self.id,
            name=self.spec.name,
            image=self.spec.image,
            labels=dict(self.spec.labels),
            state=self.state,
            health=self.health,
            health_log=self.health_log,
            exit_code=self.exit_code if self.state == "exited" else None,
            oom_killed=self.oom_killed,
            error=self.error,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            addresses={**asked, **self.addresses},
            ports=self.ports,
            mounts={mount.target: mount.source for mount in self.spec.mounts if mount.type == "bind"},
        )

    @property
    def _checked(self) -> bool:
        check = self.spec.healthcheck
        if check is None or not check.test:
            return self.image.healthcheck
        return check.test[0] != "NONE"
