"""What must hold on all machines of a legion: at the start of each container, and once all bad luck is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations, permutations

from actors.senate import Senate
from cluster.company import strays
from cluster.containers import TASK
from cluster.model import State, Task
from cluster.moves import WANTED, emptied, overlaps
from cluster.naming import clients, names
from cluster.presence import alarm
from engine.port import ContainerInfo, EngineEvent
from supervisor.dead_letters import Reason
from tests.actors.legion import MANAGER, Legion
from tests.sim.orders import Note
from tests.sim.witness import EXPECTED

LOST_WITH_ITS_PEER = {Reason.UNREACHABLE}


class Census:
    """Looks at all machines whenever a container starts on one. `violations` tells of what must never be.

    Machines in `dead` will not come back, and are not removed either.
    """

    def __init__(self, legion: Legion, note: Note) -> None:
        self.violations: list[str] = []
        self.dead: set[str] = set()
        self._legion = legion
        self._note = note
        self._moving: set[tuple[str, str]] = set()
        self._committed = State()

    def witness(self, machine: str) -> Callable[[EngineEvent], None]:
        """What sees each event of that machine's engine at its moment."""

        def see(event: EngineEvent) -> None:
            label = event.labels.get
            self._note(f"{machine}: {event.action} {label('gbnt.service')}-{label('gbnt.slot')} {label(TASK)}")
            state = self._believed()
            if event.action == "start" and state is not None:
                self._look(state, machine, event)

        return see

    def commit(self) -> None:
        """A state was committed. A move that a person takes back overlaps as one that goes on does: it is noted."""
        state = self._believed()
        if state is None:
            return
        self.violations += replaced_in_spite(self._committed, state)
        self._committed = state
        leaving, astray = emptied(state.nodes.values()), strays(state)
        if not leaving and not astray:
            return
        slots: defaultdict[tuple[str, int], list[Task]] = defaultdict(list)
        for task in state.tasks.values():
            if not task.ended:
                slots[task.service_key, task.slot].append(task)
        for (service, _), tasks in slots.items():
            away = leaving | astray.get(service, frozenset())
            if any(task.node in away for task in tasks):
                self._moving.update(permutations([task.id for task in tasks], 2))

    def containers(self, state: State) -> list[ContainerInfo]:
        """Every container of the cluster's machines that live."""
        return [one.info() for name in self._living(state) for one in self._legion.homes[name].containers()]

    def networks(self, state: State) -> set[str]:
        """Every network of theirs, but of stacks that cannot go before the dead have said that their tasks are gone."""
        theirs = (task for task in state.tasks.values() if task.node in self.dead)
        waiting = {task.stack for task in theirs if task.desired == "remove" or not task.ended}
        waited_for = {network.name for network in state.networks.values() if network.stack in waiting}
        homes = [self._legion.homes[name] for name in self._living(state)]
        return {network for home in homes for network in home.engine._world.networks} - waited_for

    def has_volume(self, machine: str, volume: str) -> bool:
        """Whether a machine's engine has it, which the manager may not have heard yet."""
        return volume in self._legion.homes[machine].engine._world.volumes

    def complaints(self) -> list[str]:
        """What went wrong on the way, though all may be well by now."""
        homes = self._legion.homes.values()
        return [
            *self.violations,
            *(violation for home in homes for violation in home.engine.violations),
            *(
                f"{letter.address} did not get {letter.message}: {letter.reason}"
                for home in homes
                for letter in home.letters
                if letter.reason not in EXPECTED | LOST_WITH_ITS_PEER
            ),
        ]

    def missing(self, state: State) -> Iterator[str]:
        """What machines do not know yet, or have not put away."""
        known, asking, living = names(state), clients(state), self._living(state)
        for name in living:
            zones = self._legion.homes[name].names.zones
            if (zones.networks, zones.clients) != (known, asking[name]):
                yield f"the resolver of {name} does not know all names"
            read, kept = self._files(name), set(self._legion.homes[name].files.contents)
            if read != kept:
                yield f"{name} keeps the configs {sorted(kept)} and its containers read {sorted(read)}"
        for node in state.nodes.values():
            if node.status != ("ready" if node.id in living else "down"):
                yield f"{node.id} is {node.status}"
        for task in state.tasks.values():
            wanted = task.desired in WANTED or task.node not in self.dead  # the dead cannot say that it has stopped
            if task.node and task.node not in living and not task.ended and wanted:
                yield f"{task.id} is on {task.node}, which is not there any more"
            if task.state == "lost" and task.node in living:
                yield f"{task.id} is lost and still remembered"

    def _files(self, machine: str) -> set[str]:
        """The files of configs that containers of the machine read."""
        running = (one.info() for one in self._legion.homes[machine].containers() if one.running)
        return {path.rpartition("/")[2] for info in running for path in info.mounts.values()}

    def _living(self, state: State) -> list[str]:
        return [name for name in state.nodes if name not in self.dead]

    def _look(self, state: State, machine: str, event: EngineEvent) -> None:
        """No slot has two live containers that the manager believes in."""
        live: dict[tuple[str, int], set[str]] = {}
        for node in state.nodes.values():
            if node.status != "ready" or not self._legion.homes[node.id].engine.running:
                continue
            for container in self._legion.homes[node.id].containers():
                task = state.tasks.get(container.spec.labels[TASK])
                if container.running and task is not None and task.node == node.id:
                    live.setdefault((task.service_key, task.slot), set()).add(task.id)
        for slot, ids in live.items():
            if len(ids) > 1 and not self._moves([state.tasks[id] for id in ids], state):
                self.violations.append(f"{slot} has {len(ids)} live containers after {machine} started {event.labels}")

    def _moves(self, tasks: list[Task], state: State) -> bool:
        """Whether each of them gives its place to another or takes it, and both may run for a while."""
        moving = {id for pair in combinations([task.id for task in tasks], 2) if pair in self._moving for id in pair}
        return len(moving) == len(tasks) and all(overlaps(state.spec_of(task)) for task in tasks)

    def _believed(self) -> State | None:
        member = self._legion.members.get(MANAGER)
        cell = member.system.actor("senate") if member is not None else None
        return cell.actor._state if cell is not None and isinstance(cell.actor, Senate) else None


def replaced_in_spite(before: State, after: State) -> Iterator[str]:
    """What was lost from one state to the next though replacement pauses. Machines that were replaced before, are."""
    if not (alarm(before.settings) and alarm(after.settings)):
        return
    replaced = {node.id for node in before.nodes.values() if node.replaced}
    for node in after.nodes.values():
        if node.replaced and node.id not in replaced and node.id in before.nodes:
            yield f"{node.id} is to be replaced, and replacement pauses: {alarm(after.settings)}"
    for task in after.tasks.values():
        known = before.tasks.get(task.id)
        if task.state == "lost" and known is not None and known.state != "lost" and task.node not in replaced:
            yield f"{task.id} is lost with {task.node}, and replacement pauses: {alarm(after.settings)}"
