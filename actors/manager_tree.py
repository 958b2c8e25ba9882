"""The supervision tree of a manager, which is a worker too: `actors.tree` with what decides and commits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from actors.dispatcher import Dispatcher
from actors.gatekeeper import Gatekeeper, Peers
from actors.herald import Herald, Voice
from actors.keyring import Keyring, Vault
from actors.mandate import Mandate
from actors.membership import Membership
from actors.node import NodeActor
from actors.places import KEYRING
from actors.roll import Roll
from actors.senate import Observe, Senate
from actors.service import ServiceActor
from actors.snapshots import Shelf, SnapshotsActor
from actors.tree import WorkerParts, duties, links, new_id, root
from store.contract import Store
from supervisor.spec import ChildSpec, Strategy, SupervisorSpec, dynamic

SNAPSHOT_PERIOD = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(WorkerParts):
    """What the composition root puts under a manager's actors.

    `roll` is where what links tell is noted; without `peers` it has none. `vault` opens what the state has of sign-ins
    to registries.
    `voice` reaches nodes that have no link to it. `entrance` is the door that links come in by: it closes after the
    links have said that this node stops.
    """

    store: Store
    shelf: Shelf
    vault: Vault
    roll: Roll = field(default_factory=Roll)
    peers: Peers | None = None
    voice: Voice | None = None
    entrance: ChildSpec | None = None
    mandate: Mandate = field(default_factory=Mandate)
    observe: Observe = lambda name, seconds: None


def tree(parts: Parts, *doors: ChildSpec) -> SupervisorSpec:
    """The root of a manager, which is a worker too; `doors` are started last and stopped first."""
    machine = parts.machine
    mandate = replace(parts.mandate, own=machine.node)
    senate = partial(
        Senate, parts.store, mandate, machine.node, parts.clock, partial(new_id, parts.random), parts.observe
    )
    return root(
        *(() if parts.entrance is None else (parts.entrance,)),
        links(parts),
        ChildSpec("senate", senate),
        ChildSpec(KEYRING, partial(Keyring, parts.vault)),
        ChildSpec("control", _control(parts)),
        *_doorkeepers(parts),
        *duties(parts),
        ChildSpec("snapshots", partial(SnapshotsActor, parts.shelf, SNAPSHOT_PERIOD, parts.clock)),
        *doors,
    )


def _doorkeepers(parts: Parts) -> Iterator[ChildSpec]:
    """On their own: what a peer makes them stumble over is nothing that all of control has to begin anew for."""
    if parts.peers is not None:
        yield ChildSpec("gatekeeper", partial(Gatekeeper, parts.machine.node, parts.peers))
    if parts.voice is not None:
        yield ChildSpec("herald", partial(Herald, parts.machine.node, parts.roll, parts.voice))


def _control(parts: Parts) -> SupervisorSpec:
    """The dispatcher starts the services' and nodes' actors, and knows what it showed each: they begin anew together.

    A stack's supervisor that gives up takes its children's ids with it, so that is for all of them to begin anew too.
    """
    dispatcher = partial(Dispatcher, lambda key: ServiceActor(key, parts.clock), NodeActor)
    return SupervisorSpec(
        strategy=Strategy.ONE_FOR_ALL,
        intensity=10,
        period=60.0,
        children=(
            ChildSpec("services", SupervisorSpec(intensity=0)),
            ChildSpec("nodes", dynamic()),
            ChildSpec("membership", partial(Membership, parts.machine, parts.roll)),
            ChildSpec("dispatcher", dispatcher),
        ),
    )
