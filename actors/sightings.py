"""What is known of one task's containers, from lists, from events, and from the steps taken on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cluster import backoff
from cluster.containers import ATTEMPT
from cluster.execution import Phase, Seen, end_reason
from cluster.model import Attempt, HostPort, Task
from engine.port import ContainerInfo, ContainerState, EngineEvent

PHASES: dict[ContainerState, Phase] = {
    "created": "created",
    "running": "running",
    "paused": "running",
    "restarting": "ended",
    "removing": "ended",
    "exited": "ended",
    "dead": "ended",
}

UP = ("starting", "running")
REMOVED = "its container was removed"


def attempt_of(container: ContainerInfo) -> int:
    """The attempt that a container is of, by its label."""
    label = container.labels.get(ATTEMPT, "1")
    return int(label) if label.isdecimal() else 1


def never_ran(container: ContainerInfo) -> bool:
    """Whether it was made and not started, though the engine may be putting it away by now."""
    return container.state in ("created", "removing") and not container.started_at


class Sightings:
    """Begins with the record of a task; each method takes in one piece of news.

    Containers and events have times of day. `at`, when somebody looked or made something, is of the runtime's clock.
    """

    def __init__(self, task: Task) -> None:
        self._recorded = task
        self._ids: dict[int, str] = {}
        self._ended = {attempt.number: attempt for attempt in task.past}
        self._oom = False
        self._made_at = 0.0
        self.newest: Seen | None = None
        self.crashes = self._crashes_before = task.crashes
        self.cold = False
        self.cleared = False
        self.unhealthy_since: float | None = None
        self.ports: tuple[HostPort, ...] = ()
        self.strays: tuple[str, ...] = ()
        """Running containers of earlier attempts: somebody started them by hand, and their place is taken."""

    @property
    def runs(self) -> bool:
        """Whether the newest container runs."""
        return self.newest is not None and self.newest.phase == "running"

    @property
    def ended(self) -> tuple[Attempt, ...]:
        """The attempts that ended, oldest first."""
        return tuple(self._ended[number] for number in sorted(self._ended))

    def listed(self, containers: Iterable[ContainerInfo], at: float) -> list[str]:
        """Take in all containers of the task as the engine had them after it was asked `at` that time.

        Those that were made but never started, by a life before this one, are not counted, for they may be half made:
        their ids are returned.
        """
        known, every = self.newest, sorted(containers, key=attempt_of)
        found = [info for info in every if not never_ran(info) or (known is not None and info.id == known.id)]
        self._ids = {attempt_of(info): info.id for info in found}
        for info in found[:-1]:
            self._remember(_seen(info))
        if found:
            self._meet(found[-1])
        self.strays = tuple(info.id for info in found if info.state == "running" and not self._is_newest(info))
        if known is None and self._recorded.state in UP and self._recorded.attempt not in self._ids:
            if self.newest is not None and self.newest.attempt > self._recorded.attempt:
                self._remember(self._lost())  # the record is older than what the life before this one did
            else:
                self._end(self._lost(), counts=False)
        elif known is not None and known.phase != "ended" and known.id not in self._ids.values() and at > self._made_at:
            self._end(replace(known, exit_code=None, error=REMOVED), counts=False)
        return [info.id for info in every if info not in found]

    def _is_newest(self, info: ContainerInfo) -> bool:
        return self.newest is not None and self.newest.id == info.id

    def _meet(self, info: ContainerInfo) -> None:
        seen, known = _seen(info), self.newest
        if known is not None and (known.attempt > seen.attempt or _is_older(seen, known)):
            return
        if seen.phase != "ended":
            self._take(seen, info)
        elif known is not None and known.id == seen.id:
            # It ended while nobody watched: the engine was down, or its events were cut off.
            self._end(seen, counts=False)
        elif self._is_on_record(seen):
            self.newest = seen
            self.cold = not self._recorded.ended  # it was to be made again when the life before this one ended
            self._remember(seen)
        else:
            was_up = self._recorded.attempt == seen.attempt and self._recorded.state in UP
            self._end(seen, counts=not was_up and not self.cold)

    def _lost(self) -> Seen:
        """The container that the record says was up, and that is not there any more."""
        record = self._recorded
        return Seen(
            record.container_id,
            record.container_name,
            record.attempt,
            "ended",
            error=REMOVED,
            started_at=record.started_at,
        )

    def _is_on_record(self, seen: Seen) -> bool:
        """Whether the record counts this end already."""
        return self._recorded.attempt > seen.attempt or self._recorded.ended

    def created(self, container: str, name: str, attempt: int, at: float) -> None:
        """A container was made for this attempt."""
        self._made_at = at
        self.newest = Seen(container, name, attempt, "created")
        self._ids[attempt] = container
        self._oom = False  # and still cold, if it was: only what runs has passed the gate
        self.unhealthy_since, self.ports = None, ()

    def inspected(self, info: ContainerInfo | None, stopping: str = "") -> None:
        """The newest container as the engine shows it after a step; None when it is not there any more."""
        known = self.newest
        if known is None or (info is not None and info.id != known.id):
            return
        if info is None:
            self._end(replace(known, exit_code=None, error=REMOVED), stopping=stopping)
        elif PHASES[info.state] == "ended":
            self._end(_seen(info), stopping=stopping)
        elif not _is_older(_seen(info), known):
            self._take(_seen(info), info)

    def happened(self, event: EngineEvent, stopping: str = "") -> bool:
        """Take in an engine's event. True when it calls for a closer look at the container."""
        known = self.newest
        if known is None or event.container != known.id:
            return known is not None and event.action == "start"
        if event.action == "oom":
            self._oom = True
        elif event.action == "health" and known.phase == "running":
            self._healthy(replace(known, health=event.health), event.at)
        elif event.action == "die":
            end = replace(known, exit_code=event.exit_code, oom_killed=self._oom, finished_at=event.at)
            self._end(end, stopping=stopping)
        elif event.action == "destroy":
            self._end(replace(known, exit_code=None, error=REMOVED, finished_at=event.at))
        else:
            return event.action == "start"
        return False

    def unstartable(self, why: str) -> None:
        """The newest container cannot be started, for something that it was made with is gone: the next may be."""
        if self.newest is not None:
            self._end(replace(self.newest, exit_code=None, error=why), counts=False)

    def engine_gone(self) -> None:
        """The engine went away. It ends its containers before itself: the last end was its doing, and is no crash."""
        if self.newest is not None and self.newest.phase != "running":
            self.cold, self.crashes = True, self._crashes_before

    def removed(self, container: str) -> None:
        """The newest container, which never ran, is not there any more; or (none named) none of them is."""
        known, self.ports, self.cleared = self.newest, (), not container
        if known is None or not container:
            self.newest = None
        elif known.phase == "created":  # or a look at all containers missed it already, and the next one is due
            before = self._ended.get(known.attempt - 1)
            self.newest = _ended_before(before) if before else None
        self._ids = {attempt: id for attempt, id in self._ids.items() if container not in ("", id)}

    def surplus(self) -> list[str]:
        """Containers of earlier attempts but the last one, which is kept for its log."""
        return [self._ids.pop(number) for number in sorted(self._ids)[:-2]]

    def _take(self, seen: Seen, info: ContainerInfo) -> None:
        if seen.phase == "running":
            self.cold = False
        self.ports = tuple(HostPort(p.target, p.protocol, p.host_ip, p.host_port) for p in info.ports)
        self._healthy(seen, seen.started_at)

    def _healthy(self, seen: Seen, at: float) -> None:
        if seen.health != "unhealthy":
            self.unhealthy_since = None
        elif self.unhealthy_since is None:
            self.unhealthy_since = at
        self.newest = seen

    def _end(self, seen: Seen, *, counts: bool = True, stopping: str = "") -> None:
        """The newest container ended. It counts as a crash unless it ended while nobody watched."""
        known = self.newest
        if known is not None and known.id == seen.id and known.phase == "ended":
            return
        self.newest = replace(seen, phase="ended", health="")
        self.unhealthy_since, self.ports = None, ()
        self.cold = not counts
        self._crashes_before = self.crashes
        if counts:
            self.crashes = backoff.crashes_after(self.crashes, _ran_for(seen))
        self._remember(self.newest, stopping)

    def _remember(self, seen: Seen, stopping: str = "") -> None:
        if seen.phase == "ended" and seen.attempt not in self._ended:
            self._ended[seen.attempt] = Attempt(
                number=seen.attempt,
                container_id=seen.id,
                container_name=seen.name,
                exit_code=seen.exit_code,
                reason=stopping or end_reason(seen),
                started_at=seen.started_at,
                ended_at=seen.finished_at,
            )


def _ended_before(attempt: Attempt) -> Seen:
    return Seen(
        id=attempt.container_id,
        name=attempt.container_name,
        attempt=attempt.number,
        phase="ended",
        exit_code=attempt.exit_code,
        started_at=attempt.started_at,
        finished_at=attempt.ended_at,
    )


def _is_older(seen: Seen, known: Seen) -> bool:
    """Whether a look at a container was overtaken by what was heard of it since."""
    if seen.id != known.id or known.phase == "created":
        return False
    if known.phase == "ended":
        return seen.phase == "created" or seen.started_at <= known.finished_at
    return seen.phase == "created" or (seen.health == "starting" and known.health != "starting")


def _ran_for(seen: Seen) -> float:
    return max(0.0, seen.finished_at - seen.started_at) if seen.started_at else 0.0


def _seen(info: ContainerInfo) -> Seen:
    return Seen(
        id=info.id,
        name=info.name,
        attempt=attempt_of(info),
        phase=PHASES[info.state],
        health=info.health,
        exit_code=info.exit_code,
        oom_killed=info.oom_killed,
        error=info.error,
        started_at=info.started_at,
        finished_at=info.finished_at,
    )
