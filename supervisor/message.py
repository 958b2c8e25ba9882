"""The register of messages: which class goes over the wire under which tag.

A message is a frozen, slotted dataclass named for what is wanted or what happened. Its tag ends in a version
(`task.observed/1`), so that two releases of gbnt can tell their messages apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from types import MappingProxyType
from typing import TypeVar

M = TypeVar("M")

_classes: dict[str, type] = {}
_tags: dict[type, str] = {}


def message(tag: str) -> Callable[[type[M]], type[M]]:
    """Register the decorated dataclass under `tag`.

    Raises TypeError where the class is not a frozen, slotted dataclass, and where the tag is taken.
    """

    def register(cls: type[M]) -> type[M]:
        if not _is_frozen(cls) or "__slots__" not in vars(cls):
            raise TypeError(
                f"{cls.__qualname__} is no message yet: decorate it with @dataclass(frozen=True, slots=True)"
            )
        if tag in _classes:
            raise TypeError(
                f"the tag {tag!r} belongs to {_classes[tag].__qualname__}: choose another for {cls.__qualname__}"
            )
        _classes[tag] = cls
        _tags[cls] = tag
        return cls

    return register


def tag_of(cls: type) -> str:
    """Return the tag of a registered class. Raises KeyError for any other."""
    return _tags[cls]


def class_of(tag: str) -> type:
    """Return the class that a tag stands for. Raises KeyError where there is none."""
    return _classes[tag]


def registered() -> Mapping[str, type]:
    """Return every tag with its class: a view that grows as modules are imported."""
    return MappingProxyType(_classes)


def _is_frozen(cls: type) -> bool:
    # dataclasses has no public word for it; typeshed leaves this attribute out.
    return is_dataclass(cls) and bool(vars(cls)["__dataclass_params__"].frozen)


@message("actor.terminated/1")
@dataclass(frozen=True, slots=True)
class Terminated:
    """A watched actor's incarnation has ended, told to its watcher exactly once.

    `reason` is `normal` (it stopped itself), `shutdown` (its supervisor stopped it), `killed` (it did not stop in
    time), `crashed: …`, or `no such actor` with incarnation 0 where nobody lived at the address when the watch began.
    Where its node is what ended, the incarnation is 0 and the reason names the node. Of an actor of another node it is
    only said that it has `ended`.
    """

    address: str
    incarnation: int
    reason: str
