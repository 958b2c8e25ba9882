"""What a deploy would do, told beforehand by the decisions that it would go through: nothing is decided twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace

from cluster.decide.decision import Decided, Entropy
from cluster.decide.tasks import carry_out
from cluster.everywhere import homes
from cluster.holding import volumes_there
from cluster.model import State, Task
from cluster.moves import emptied
from cluster.placement import Board
from cluster.reconcile import reconcile
from cluster.spec import StackSpec

# How a compose file calls what the spec calls otherwise.
CALLED: Mapping[str, str] = {
    "mounts": "volumes",
    "digest": "image (its tag is another image now)",
    "image_id": "image",
    "update": "deploy.update_config",
    "placement": "deploy.placement",
    "replicas": "deploy.replicas",
    "resources": "deploy.resources.limits",
    "reserved": "deploy.resources.reservations",
    "deploy_labels": "deploy.labels",
}
BUILT = "its image is built at the deploy, and may be another one"


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What would become of a service.

    `change` is the word that a deploy would say of it, `fields` the keys that are otherwise, without their values.
    `machines` counts the tasks that would be made by the name of their machine, and `waits` says why there is none for
    another. `note` is what is not known before.
    """

    name: str
    change: str
    fields: tuple[str, ...] = ()
    machines: Mapping[str, int] = field(default_factory=dict)
    waits: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deploy would do at one revision of the state; of networks, volumes and configs the word by their name."""

    stack: str
    revision: int
    services: tuple[ServicePlan, ...]
    networks: Mapping[str, str]
    volumes: Mapping[str, str]
    configs: Mapping[str, str]

    @property
    def changes(self) -> bool:
        """Whether anything would be otherwise."""
        words = [one.change for one in self.services]
        rest = [*self.networks.values(), *self.volumes.values(), *self.configs.values()]
        return any(word not in ("unchanged", "kept") for word in [*words, *rest])


def as_built(state: State, spec: StackSpec) -> StackSpec:
    """The spec with the images that its builds gave last: what they would give now nobody knows before."""
    known = {service.name: service.spec for service in state.services_of(spec.name)}
    services = {
        name: replace(one, image_id=known[name].image_id, built_on=known[name].built_on)
        if one.build is not None and not one.image_id and name in known
        else one
        for name, one in spec.services.items()
    }
    return replace(spec, services=services)


def plan(state: State, stack: str, decided: Decided, entropy: Entropy) -> Plan:
    """Tell what a decision to deploy comes to. `decided` is `decide.deploy`'s of this very state."""
    after = state.after(decided.changes)
    before, wanted = _spec(state, stack), _spec(after, stack)
    made = _made(state, after, stack, entropy)
    networks, volumes = _own(before.networks), _own(before.volumes)
    there = volumes | volumes_there(state)
    return Plan(
        stack,
        state.revision,
        tuple(_service(state, after, stack, name, word, made) for name, word in sorted(decided.told.items())),
        _words(networks, _own(wanted.networks), networks, "removed"),
        _words(volumes, _own(wanted.volumes), there, "kept"),
        _configs(before, wanted),
    )


def differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """The keys in which two values of one kind differ, as deep as both have keys, as in `environment.TAG`."""
    if before == after:
        return
    if is_dataclass(before) and type(before) is type(after):
        for one in fields(before):
            called = CALLED.get(one.name, one.name) if not path else f"{path}.{one.name}"
            yield from differences(getattr(before, one.name), getattr(after, one.name), called)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                yield f"{path}.{key}"
    else:
        yield path


def _spec(state: State, stack: str) -> StackSpec:
    return state.stacks[stack].spec if stack in state.stacks else StackSpec(stack, {})


def _service(state: State, after: State, stack: str, name: str, change: str, made: Mapping[str, Task]) -> ServicePlan:
    key = f"{stack}/{name}"
    known, wanted = state.services.get(key), after.services.get(key)
    if wanted is None or change in ("removed", "kept"):
        return ServicePlan(name, change)
    note = BUILT if wanted.spec.build is not None else ""
    mine = [task for task in made.values() if task.service_key == key]
    told = () if known is None else tuple(dict.fromkeys(differences(known.spec, wanted.spec)))
    placed = Counter(state.nodes[task.node].name for task in mine if task.node)
    waits = next((task.message for task in mine if not task.node), "")
    return ServicePlan(name, change, told, dict(sorted(placed.items())), waits, note)


def _made(state: State, after: State, stack: str, entropy: Entropy) -> Mapping[str, Task]:
    """The tasks that the services would make first, by their ids; each service sees those before it."""
    board = Board()
    for service in after.services_of(stack):  # with a board for all: what one takes, the next does not find free
        tasks, nodes = after.tasks_of(service.key), after.nodes.values()
        wanted = reconcile(service, tasks, entropy.now, emptied(nodes), homes(service, tasks, nodes))
        after = after.after(carry_out(after, service, wanted, entropy, board=board).changes)
    return {id: task for id, task in after.tasks.items() if id not in state.tasks}


def _own(parts: Mapping[str, object]) -> set[str]:
    """The engine's names of what belongs to the stack."""
    return {str(part.name) for part in parts.values() if not part.external}  # type: ignore[attr-defined]


def _words(before: set[str], after: set[str], there: set[str], gone: str) -> Mapping[str, str]:
    """What becomes of each name; `gone` is the word for one that the stack had and has no more."""
    words = {name: "unchanged" if name in there else "created" for name in after}
    return dict(sorted({**words, **dict.fromkeys(before - after, gone)}.items()))


def _configs(before: StackSpec, after: StackSpec) -> Mapping[str, str]:
    """By the file's keys: a config is a content, and another content another config."""
    words = dict[str, str]()
    for key in sorted(before.configs.keys() | after.configs.keys()):
        old, new = before.configs.get(key), after.configs.get(key)
        if old is None or new is None:
            words[key] = "created" if old is None else "removed"
        else:
            words[key] = "unchanged" if old.digest == new.digest else "updated"
    return words
