"""Which GPUs of a machine a task gets: by name, for of a mere number each driver takes the first cards, every time.

A card is called KIND=NAME, as in `nvidia.com/gpu=0`; people may leave the kind out. Engines list cards by their numbers
or by their ids, and whose number an id is they do not say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice

from cluster.capacity import Gpus
from cluster.model import Node
from cluster.privileges import ALL, DeviceRequest, Privileges

EVERY = "all"


@dataclass(frozen=True, slots=True)
class Wish:
    """So many GPUs, whichever (`ALL` is every one that there is), and those of these ids."""

    number: int
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.number == ALL:
            return EVERY
        number = (str(self.number),) if self.number else ()
        return " and ".join((*number, *map(_called, self.ids)))


@dataclass(frozen=True, slots=True)
class Dealt:
    """The cards for a task, first those that any would do for; or what is said `against` a number of machines."""

    cards: tuple[str, ...] = ()
    against: str = ""


def wish_of(requests: Iterable[DeviceRequest]) -> Wish | None:
    """The GPUs that a service's requests ask for, all together; None where they ask for none."""
    requests = tuple(requests)
    numbers = [one.count for one in requests if _is_gpu(one) and not one.ids]
    ids = tuple(dict.fromkeys(id for one in requests for id in one.ids if _is_gpu(one) or _is_of_cdi(id)))
    if min(numbers, default=0) < 0 or EVERY in map(_name, ids):
        return Wish(ALL, ids)
    return Wish(sum(numbers), ids) if ids or sum(numbers) else None


def cards_of(found: Iterable[Gpus]) -> tuple[str, ...]:
    """A machine's cards, of the source that tells of most: one card may be in both. Those without names get numbers."""
    sources = dict[str, list[Gpus]](discovered=[], declared=[])
    for one in found:
        sources[one.source].append(one)
    most, numbers = max(sources.values(), key=lambda told: sum(one.count for one in told)), map(str, count())
    named = ((one, (*one.names, *islice(numbers, one.count - len(one.names)))) for one in most)
    return tuple(f"{one.kind}={name}" for one, names in named for name in names)


def free_of(cards: Iterable[str], held: Collection[str]) -> list[str]:
    """Those of a machine's cards that no task has."""
    return [card for card in cards if not any(_same(one, card) for one in held)]


def are_counted(nodes: Iterable[Node]) -> bool:
    """Whether any machine tells how many GPUs it has: those that do not are taken to have none, then."""
    return any(node.gpus for node in nodes)


def may_have(node: Node, *, counted: bool) -> bool:
    """Whether a machine may have GPUs though nobody knows how many: its engine has the runtime for them."""
    return bool(node.gpu_runtime) and not node.gpus and not counted


def deal(wish: Wish, node: Node, held: Collection[str] = (), *, unnamed: bool = False, counted: bool) -> Dealt:
    """The cards of a machine for one more task, of which others have `held`, and `unnamed` ones if any has such.

    Whose number nobody knows go to one task at a time, unless each names its own. `counted`: see `are_counted`.
    """
    cards = cards_of(node.gpus)
    if cards:
        return Dealt(against=_too_few(wish)) if unnamed else _of_known(wish, cards, held)
    if may_have(node, counted=counted) or (not wish.number and all(map(_is_of_cdi, wish.ids))):
        return _of_unknown(wish, held, unnamed)
    return Dealt(against=_too_few(wish))


def assigned(privileges: Privileges, cards: Iterable[str]) -> Privileges:
    """The privileges with a task's cards in the place of numbers of GPUs; where it has none, these stay."""
    rest = iter(cards)
    return replace(privileges, requests=tuple(_named(one, rest) for one in privileges.requests))


def _of_known(wish: Wish, cards: tuple[str, ...], held: Collection[str]) -> Dealt:
    free = free_of(cards, held)
    named = [card for card in cards if any(_same(id, card) for id in wish.ids)]
    unfound = [id for id in wish.ids if _name(id) != EVERY and not any(_same(id, card) for card in cards)]
    gone = next((id for id in unfound if not any(_unlike(id, card) for card in cards)), "")
    if gone:
        return Dealt(against=f"lack {_called(gone)}")
    if wish.number == ALL or unfound:  # an id may be any of the cards that are listed by their numbers
        return Dealt(cards) if len(free) == len(cards) else Dealt(against=_too_few(wish))
    taken = next((card for card in named if card not in free), "")
    if taken:
        return Dealt(against=f"have {_called(_name(taken))} taken by another task")
    others = [card for card in free if card not in named]
    if wish.number > len(others):
        return Dealt(against=_too_few(wish))
    return Dealt((*others[: wish.number], *named))


def _of_unknown(wish: Wish, held: Collection[str], unnamed: bool) -> Dealt:
    taken = any(_same(id, one) or _unlike(id, one) for id in wish.ids for one in held)
    if unnamed or taken or (wish.number and held):
        return Dealt(against="have GPUs that nobody has counted, and a task that has some")
    return Dealt(() if wish.number else wish.ids)


def _named(request: DeviceRequest, cards: Iterator[str]) -> DeviceRequest:
    if request.ids or request.count <= 0 or not _is_gpu(request):
        return request
    own = tuple(islice(cards, request.count))
    names = own if request.driver == "cdi" else tuple(map(_name, own))
    return replace(request, count=0, ids=names) if names else request


def _is_gpu(request: DeviceRequest) -> bool:
    return "gpu" in request.capabilities or request.driver == "nvidia"


def _is_of_cdi(id: str) -> bool:
    """Whether it is a GPU as CDI calls one, and not what is there to manage them."""
    return _kind(id).endswith("/gpu") and not id.startswith("management.")


def _kind(card: str) -> str:
    return card.rpartition("=")[0]


def _name(card: str) -> str:
    return card.rpartition("=")[2]


def _called(id: str) -> str:
    return f"GPU {id}" if id.isdigit() else id


def _same(one: str, other: str) -> bool:
    """Whether two are one card: kinds tell cards apart where both are CDI's, and no others do."""
    kinds = {_kind(one), _kind(other)}
    return _name(one) == _name(other) and (len(kinds) == 1 or not all("/" in kind for kind in kinds))


def _unlike(one: str, other: str) -> bool:
    """Whether one is a number and the other an id, so that they may be one card."""
    return _name(one)[:1].isdigit() != _name(other)[:1].isdigit()


def _too_few(wish: Wish) -> str:
    return f"have too few GPUs free (it asks for {wish})"
