"""Which figures a node shows, by OpenTelemetry's conventions: names with dots, units apart, and few values a label.

No label has a name that a person chose, an id or an address in it: who can reach the telemetry port may read all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from actors.gatekeeper import LINKS
from cluster.model import NodeStatus, State, Table, TaskState
from cluster.presence import alarm
from supervisor.inspection import ActorInfo

Rows = Iterable[tuple[Mapping[str, str], float]]

SHOWN: tuple[Table, ...] = ("stacks", "services", "networks")


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of a node at one moment. `state` is None where it keeps none, and where its Senate is silent."""

    state: State | None
    actors: Sequence[ActorInfo]
    dead_letters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Timing:
    """A histogram of seconds: its meter's name, and a sentence."""

    name: str
    help: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A meter that is read at each scrape. `rows` are its labels and values; `counts` where it only ever grows."""

    name: str
    unit: str
    help: str
    rows: Callable[[Sight], Rows]
    counts: bool = False


TIMINGS: Mapping[str, Timing] = {
    "command": Timing("gbnt.command.duration", "From the turn of a batch of commands to their answers."),
    "store": Timing("gbnt.store.commit.duration", "One durable commit."),
    "request": Timing(
        "gbnt.http.request.duration",
        "From a request of the API to the beginning of its answer.",
    ),
    "lag": Timing("gbnt.event_loop.lag", "By how much the event loop goes on later than it was asked to."),
}

# Of each the whole range, so that a series begins at 0 and not where it first counts.
STATUSES: tuple[str, ...] = get_args(NodeStatus)
STATES: tuple[str, ...] = (*get_args(TaskState), "unknown")
HEALTHS = ("up", "suspect", "down", "unknown")


def _nodes(sight: Sight) -> Rows:
    nodes = sight.state.nodes.values() if sight.state else ()
    return _counted("status", STATUSES, (node.status for node in nodes)) if sight.state else ()


def _tasks(sight: Sight) -> Rows:
    tasks = sight.state.tasks.values() if sight.state else ()
    return _counted("state", STATES, (task.standing for task in tasks)) if sight.state else ()


def _rows_of(table: Table) -> Callable[[Sight], Rows]:
    return lambda sight: [({}, len(getattr(sight.state, table)))] if sight.state else []


def _paused(sight: Sight) -> Rows:
    return [({}, float(bool(alarm(sight.state.settings))))] if sight.state else []


def _revision(sight: Sight) -> Rows:
    return [({}, sight.state.revision)] if sight.state else []


def _actors(sight: Sight) -> Rows:
    return _by_kind(sight, lambda info: 1)


def _restarts(sight: Sight) -> Rows:
    return _by_kind(sight, lambda info: info.restarts)


def _waiting(sight: Sight) -> Rows:
    return _by_kind(sight, lambda info: info.mailbox)


def _links(sight: Sight) -> Rows:
    links = (info for info in sight.actors if info.address.path.startswith(f"{LINKS}/"))
    return _counted("health", HEALTHS, (str(info.detail.get("health", "unknown")) for info in links))


def _dead_letters(sight: Sight) -> Rows:
    return [({"reason": reason}, number) for reason, number in sight.dead_letters.items()]


FIGURES = (
    Figure("gbnt.nodes", "{node}", "Machines by status.", _nodes),
    Figure("gbnt.tasks", "{task}", "Tasks by state, those that ended and are remembered too.", _tasks),
    *(Figure(f"gbnt.{table}", f"{{{table[:-1]}}}", f"{table.capitalize()}.", _rows_of(table)) for table in SHOWN),
    Figure("gbnt.replacement.paused", "", "1 while tasks of lost machines wait for a person.", _paused),
    Figure("gbnt.revision", "", "The cluster's revision.", _revision),
    Figure("gbnt.actors", "{actor}", "Actors that live, by kind.", _actors),
    Figure("gbnt.actor.restarts", "{restart}", "Restarts of the actors that live, by kind.", _restarts),
    Figure("gbnt.mailbox.depth", "{message}", "Messages that wait in mailboxes, by the actors' kind.", _waiting),
    Figure("gbnt.links", "{link}", "Links to other nodes, by what is thought of the node at the other end.", _links),
    Figure("gbnt.dead_letters", "{message}", "Messages that reached nobody, by reason.", _dead_letters, counts=True),
)


def _counted(label: str, known: Sequence[str], found: Iterable[str]) -> Rows:
    numbers = Counter(found)
    return [({label: value}, numbers[value]) for value in known]


def _by_kind(sight: Sight, measure: Callable[[ActorInfo], int]) -> Rows:
    numbers = Counter[str]()
    for info in sight.actors:
        numbers[info.kind] += measure(info)
    return [({"kind": kind}, number) for kind, number in sorted(numbers.items())]
