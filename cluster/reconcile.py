"""A service's next steps: from what is wanted and the tasks that are, to tasks to add, to turn, and to forget.

Pure, and level-triggered: it is asked again after every change, and answers with nothing once all is as it should be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from cluster import moves
from cluster.model import Desired, Service, Task, UpdateState

KEPT_TASKS = 5
KEPT_SECONDS = 7 * 24 * 3600.0
NOWHERE: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class AddTask:
    """A new task in this slot, of the service's present revision, first brought to `desired`.

    `node` is the only machine that it may go to, where it belongs to one.
    """

    slot: int
    desired: Desired
    message: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class DesireTask:
    """Another desired state for a task, and why."""

    task: str
    desired: Desired
    message: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A service's decision. `update` None leaves what is said of its update as it is.

    `replicas` is how many machines a global service is on, where that is news.
    """

    adds: tuple[AddTask, ...] = ()
    desires: tuple[DesireTask, ...] = ()
    update: UpdateState | None = None
    update_message: str = ""
    replicas: int | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.adds and not self.desires and self.update is None and self.replicas is None


def reconcile(
    service: Service,
    tasks: Sequence[Task],
    now: float,
    machines: Collection[str] = frozenset(),
    homes: Mapping[int, str] = NOWHERE,
) -> Reconciled:
    """What to do next for a service. `tasks` are all of its tasks, ended ones too; `now` is the time of day.

    `machines` are those that its tasks are to leave. A global service has `homes` instead: by slot the machine that the
    slot's task belongs to. It does not move, and is not replaced elsewhere.
    """
    if service.removing:
        return Reconciled(desires=_turn(tasks, "remove", f"service {service.key} is being removed"))
    if service.stopped:
        wanted = [task for task in tasks if task.desired in ("run", "ready")]
        return Reconciled(desires=_turn(wanted, "stop", "stopped by hand"))
    if service.spec.mode == "global":
        return _everywhere(service, tasks, now, homes)
    numbers = range(1, service.replicas + 1)
    slots = _by_slot(task for task in tasks if not task.forsaken or task.ended)
    return _slots(service, _by_slot(tasks), slots, numbers, now, machines, f"scaled to {service.replicas}")


def _everywhere(service: Service, tasks: Sequence[Task], now: float, homes: Mapping[int, str]) -> Reconciled:
    every = _by_slot(tasks)
    decided = _slots(service, every, every, homes, now, frozenset(), "its machine is none of the service's any more")
    adds = tuple(replace(add, node=homes[add.slot]) for add in decided.adds)
    return replace(decided, adds=adds, replicas=len(homes) if len(homes) != service.replicas else None)


def _slots(
    service: Service,
    every: Mapping[int, list[Task]],
    slots: Mapping[int, list[Task]],
    numbers: Collection[int],
    now: float,
    machines: Collection[str],
    surplus: str,
) -> Reconciled:
    """The steps of all slots, of which those of these `numbers` are wanted; the others go, for the reason `surplus`."""
    above = [task for slot, tasks in every.items() if slot not in numbers for task in tasks]
    forgotten = _forgotten(every, numbers, now)
    doubles = _doubles(service, slots, numbers, machines)
    filled = _fill(service, slots, numbers)
    rolled = _roll(service, slots, numbers)
    moved = _move(service, slots, machines)
    told = _told(service, slots, numbers, rolled)
    return replace(
        told,
        adds=(*filled.adds, *rolled.adds, *moved.adds),
        desires=(
            *_turn(above, "remove", surplus),
            *doubles,
            *filled.desires,
            *rolled.desires,
            *moved.desires,
            *forgotten,
        ),
    )


def is_current(service: Service, task: Task) -> bool:
    """Whether the task is of the service's present revision, and not made before a forced restart."""
    return task.revision == service.revision and task.generation == service.generation


def _by_slot(tasks: Iterable[Task]) -> dict[int, list[Task]]:
    slots: dict[int, list[Task]] = {}
    for task in sorted(tasks, key=lambda task: (task.created_at, task.id)):
        slots.setdefault(task.slot, []).append(task)
    return slots


def _turn(tasks: Iterable[Task], desired: Desired, why: str) -> tuple[DesireTask, ...]:
    return tuple(DesireTask(task.id, desired, why) for task in tasks if task.desired != desired)


def _forgotten(slots: Mapping[int, list[Task]], numbers: Collection[int], now: float) -> tuple[DesireTask, ...]:
    """Of a slot's ended tasks the last few are kept for a while, so that a person can ask what happened.

    They tell where the slot's data is, too: all of those few stay while no other task of it has a machine.
    """
    gone: list[Task] = []
    for slot, tasks in slots.items():
        if slot not in numbers:
            continue
        history = [task for task in tasks if task.desired == "stop" and task.ended]
        placed = any(task.node and task.desired in ("run", "ready") for task in tasks)
        old = [task for task in history if placed and now - task.since > KEPT_SECONDS]
        gone += {task.id: task for task in (*history[: max(0, len(history) - KEPT_TASKS)], *old)}.values()
    return _turn(gone, "remove", "history is full")


def _doubles(
    service: Service, slots: Mapping[int, list[Task]], numbers: Iterable[int], machines: Collection[str]
) -> tuple[DesireTask, ...]:
    """A slot whose task is back, though another was made to take its place, keeps the one that serves, or is older.

    So does one whose work was done before it could move.
    """
    gone: list[Task] = []
    for slot in numbers:
        known = [t for t in slots.get(slot, []) if t.node not in machines or t.state == "complete"]
        wanted = [task for task in known if task.desired in ("run", "ready")]
        placed = [task for task in wanted if task.node]
        same = [task for task in placed if is_current(service, task)]
        if same:
            kept = next((task for task in same if task.serving), same[0])
            gone += [task for task in wanted if is_current(service, task) and task.id != kept.id]
        elif placed and service.spec.update.order == "stop-first":
            gone += [task for task in wanted if not task.node and task.desired == "run"]
    return _turn(gone, "remove", "the one before it goes on")


def _fill(service: Service, slots: Mapping[int, list[Task]], numbers: Iterable[int]) -> Reconciled:
    """A slot without a wanted task gets one, which starts once the slot's earlier one has really stopped.

    A pending one is asked for again: what kept it from a machine may be over.
    """
    adds: list[AddTask] = []
    desires: list[DesireTask] = []
    for slot in numbers:
        tasks = slots.get(slot, [])
        wanted = [task for task in tasks if task.desired in ("run", "ready")]
        leaving = [task for task in tasks if task.desired in ("stop", "remove") and not task.ended]
        alone = len(wanted) == 1 and not leaving
        pending = next((task for task in wanted if task.state == "pending" and is_current(service, task)), None)
        if pending is not None:
            adds.append(AddTask(slot, "run" if alone else pending.desired, ""))
        elif not wanted:
            adds.append(AddTask(slot, "ready" if leaving else "run", "waits for its predecessor" if leaving else ""))
        elif alone and wanted[0].desired == "ready":
            desires.append(DesireTask(wanted[0].id, "run", ""))
    return Reconciled(adds=tuple(adds), desires=tuple(desires))


def _roll(service: Service, slots: Mapping[int, list[Task]], numbers: Iterable[int]) -> Reconciled:
    """Replace tasks of an older revision, so many slots at a time.

    Stop-first readies the new task (its image is there) before the old one stops, and runs it when that has ended.
    Start-first runs it beside the old one, which stops once the new one serves. An old task that does not serve has
    nothing to lose and is replaced at once.
    """
    adds: list[AddTask] = []
    desires: list[DesireTask] = []
    pairs = [_pair(service, slots.get(slot, [])) for slot in numbers]
    busy = sum(
        1 for old, new in pairs if new is not None and not _settled(new) and (old or service.update == "updating")
    )
    room = max(0, (service.spec.update.parallelism or len(pairs)) - busy)
    first_desired: Desired = "run" if service.spec.update.order == "start-first" else "ready"
    for old, new in pairs:
        if old is None:
            continue
        if old.state == "pending" or (new is not None and _may_stop_old(service, new)):
            desires.append(DesireTask(old.id, "stop", "replaced by a newer revision"))
        elif new is None and (room > 0 or not old.serving):
            room -= 1 if old.serving else 0
            adds.append(AddTask(old.slot, first_desired, "waits for its predecessor to stop"))
    return Reconciled(adds=tuple(adds), desires=tuple(desires))


def _move(service: Service, slots: Mapping[int, list[Task]], machines: Collection[str]) -> Reconciled:
    """Move tasks off machines that they are to leave, the next one once the last one serves.

    One that does not serve has nothing to lose, and moves at once.
    """
    adds: list[AddTask] = []
    desires: list[DesireTask] = []
    busy = moves.settling(service, slots, machines)
    side_by_side = moves.overlaps(service.spec)
    for move in moves.moves(service, slots, machines):
        old, heir = move.task, move.heir
        desires += [DesireTask(double.id, "remove", "the one before it goes on") for double in move.doubles]
        if heir is not None:
            if moves.may_leave(service, old, heir):
                desires.append(DesireTask(old.id, "stop", "moved to another machine"))
            elif heir.desired == "ready" and side_by_side and move.alone:  # an update made it, and is over
                desires.append(DesireTask(heir.id, "run", ""))
        elif not busy or not old.serving:
            busy = busy or old.serving
            words = "moves to another machine"
            late = "" if side_by_side else ", and waits for its predecessor to stop: they share a volume or an address"
            adds.append(AddTask(old.slot, "run" if side_by_side else "ready", words + late))
    return Reconciled(adds=tuple(adds), desires=tuple(desires))


def _pair(service: Service, tasks: Iterable[Task]) -> tuple[Task | None, Task | None]:
    wanted = [task for task in tasks if task.desired in ("run", "ready")]
    old = next((task for task in wanted if not is_current(service, task)), None)
    new = next((task for task in wanted if is_current(service, task)), None)
    return old, new


def _settled(task: Task) -> bool:
    return task.serving or task.state == "complete"


def _may_stop_old(service: Service, new: Task) -> bool:
    if service.spec.update.order == "start-first":
        return _settled(new)
    return new.ready or new.ended


def _told(service: Service, slots: Mapping[int, list[Task]], numbers: Iterable[int], rolled: Reconciled) -> Reconciled:
    """What to say of the update: under way while a wanted task is old or new ones are not yet up, then completed."""
    pairs = [_pair(service, slots.get(slot, [])) for slot in numbers]
    olds = sum(1 for old, _ in pairs if old is not None)
    if olds or rolled.adds:
        done = sum(1 for old, new in pairs if old is None and new is not None and _settled(new))
        message = f"{done} of {len(pairs)} replicas are new"
        if service.update != "updating" or service.update_message != message:
            return Reconciled(update="updating", update_message=message)
    elif service.update == "updating" and all(new is not None and _settled(new) for _, new in pairs):
        return Reconciled(update="completed", update_message=f"all {len(pairs)} replicas are new")
    return Reconciled()
