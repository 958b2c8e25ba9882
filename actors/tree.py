"""The supervision trees of manager and worker: which actor lives where, and what falls with what.

What only a manager has is in `actors.manager_tree`, for a worker starts sooner without it.

entrance        the door that links come in by                        manager
links/          one actor a peer: the way to other nodes (dynamic)
senate          decides and commits                                   manager
keyring         opens sign-ins to registries for who has to pull      manager
control/                                                              manager
  services/     one actor a service, by stack (dynamic)
  nodes/        one actor a machine           (dynamic)
  membership    judges which machines are down
  dispatcher    shows services and nodes their part of the state
gatekeeper      keeps a link for each member                          manager
herald          tells nodes that are not heard where the manager is   manager
certificate     renews what this node proves itself with
agent/
  images        one pull at a time for an image
  provisions    networks and volumes
  configs       files of configs
  tasks/        one actor a task              (dynamic)
  executor      hears the engine, gives each task its assignment
resolver        names
surveyor        room and load, and what nothing needs any more
snapshots       the schedule of snapshots                             manager
streams         opens streams to its manager                          worker
portal/         the doors, added by the composition root
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from actors.agent import Agent
from actors.certificate import Certificate, CertificateActor
from actors.configs import CONFIGS, ConfigFolder, ConfigsActor
from actors.gate import Gate
from actors.gatekeeper import CERTIFICATE, LINKS
from actors.images import ImagesActor
from actors.inventory import Inventory
from actors.keepsake import Drawer
from actors.machine import Machine
from actors.provisions import PROVISIONS, ProvisionsActor
from actors.resolver import Resolver, ResolverActor
from actors.steps import Surroundings
from actors.surveyor import SURVEYOR, Surveyor
from actors.task import TaskActor
from engine.port import Engine
from supervisor.spec import ChildSpec, Strategy, SupervisorSpec, dynamic

# How many containers are made and started at the same time: where one engine's own time is shortest.
ENGINE_CONCURRENCY = 8
EXECUTOR = "agent/executor"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerParts:
    """What the composition root puts under a worker's actors. `clock` is the time of day in seconds since the epoch.

    `links` are those that are there from the start, as `LinkRouter.link` makes them; others are started under the
    supervisor `LINKS`. In `configs` the machine keeps files that its containers read, in `drawer` its orders, to go by
    them when no manager answers. `removed` tells whether the cluster has removed this machine.
    """

    machine: Machine
    engine: Engine
    resolver: Resolver
    configs: ConfigFolder
    clock: Callable[[], float]
    random: Random
    links: tuple[ChildSpec, ...] = ()
    drawer: Drawer | None = None
    certificate: Certificate | None = None
    removed: Callable[[], bool] = lambda: False


def new_id(random: Random) -> str:
    """Twelve letters and digits; the first is a letter, so that an id is never taken for a number."""
    letters, all_of_them = "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz0123456789"
    return random.choice(letters) + "".join(random.choices(all_of_them, k=11))


def worker_tree(parts: WorkerParts, *doors: ChildSpec) -> SupervisorSpec:
    """The root of a worker, whose manager is the node that `parts.machine` names."""
    return root(links(parts), *duties(parts), *doors)


def root(*children: ChildSpec) -> SupervisorSpec:
    """The supervisor over all."""
    return SupervisorSpec(intensity=20, period=60.0, children=children)


def links(parts: WorkerParts) -> ChildSpec:
    """They are there before who speaks over them, and end after that."""
    return ChildSpec(LINKS, replace(dynamic(), children=parts.links))


def duties(parts: WorkerParts) -> tuple[ChildSpec, ...]:
    """What every machine has."""
    certificate = parts.certificate
    keeper = () if certificate is None else (partial(CertificateActor, certificate, parts.machine, parts.clock),)
    return (
        *(ChildSpec(CERTIFICATE, make) for make in keeper),
        ChildSpec("agent", _agent(parts)),
        ChildSpec("resolver", partial(ResolverActor, parts.resolver, parts.machine)),
        ChildSpec(SURVEYOR, partial(Surveyor, parts.engine)),
    )


def _agent(parts: WorkerParts) -> SupervisorSpec:
    machine, inventory = parts.machine, Inventory()
    around = Surroundings(
        engine=parts.engine,
        cluster=machine.cluster,
        gate=Gate(ENGINE_CONCURRENCY),
        clock=parts.clock,
        jitter=parts.random.random,
        inventory=inventory,
        agent=EXECUTOR,
        images="agent/images",
        provisions=PROVISIONS,
        configs=CONFIGS,
    )
    executor = partial(
        Agent,
        parts.engine,
        machine,
        inventory,
        lambda task: TaskActor(task, around),
        parts.clock,
        parts.drawer,
        parts.removed,
    )
    return SupervisorSpec(
        # The executor starts the tasks' actors and knows what it told each: they begin anew together. No container
        # takes notice, for all that they know is in the engine and in the state.
        strategy=Strategy.ONE_FOR_ALL,
        intensity=10,
        period=60.0,
        children=(
            ChildSpec("images", partial(ImagesActor, parts.engine, machine)),
            ChildSpec("provisions", partial(ProvisionsActor, parts.engine, machine.cluster, EXECUTOR)),
            ChildSpec("configs", partial(ConfigsActor, machine, parts.configs)),
            ChildSpec("tasks", dynamic()),
            ChildSpec("executor", executor),
        ),
    )
