"""Constraints on the machine that a task may go to: `node.role == manager`, `node.labels.disk != ssd`.

The spellings are Swarm's (`docker service create --constraint`), and a short form for labels: `gbnt.node.gpu == nvidia`
is `node.labels.gpu == nvidia`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.model import Node

PLAIN = ("node.id", "node.hostname", "node.role", "node.platform.os", "node.platform.arch")
LABELS = ("node.labels.", "engine.labels.")
SHORT = "gbnt.node."

_NAME = r"[A-Za-z0-9._/-]+"
_SHAPE = re.compile(rf"\s*({_NAME})\s*(==|!=)\s*(\S(?:.*\S)?)\s*")
# One machine, two vocabularies: the kernel's and that of images.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


class NoConstraint(ValueError):
    """The text is no constraint: what is wrong with it, and a hint at how one is written."""

    def __init__(self, wrong: str, hint: str) -> None:
        super().__init__(f"{wrong}: {hint}")
        self.wrong = wrong
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Constraint:
    """One condition on a machine. `key` is in its long form."""

    key: str
    equal: bool
    value: str

    def __str__(self) -> str:
        return f"{self.key} {'==' if self.equal else '!='} {self.value}"

    def allows(self, node: Node) -> bool:
        """Whether the machine meets it. A label that is not there equals nothing; upper and lower case are alike."""
        found = value_of(node, self.key)
        if self.key == "node.platform.arch":
            return (_architecture(found or "") == _architecture(self.value)) is self.equal
        same = found is not None and found.lower() == self.value.lower()
        return same is self.equal

    @property
    def fault(self) -> str:
        """What is said of machines that it turns away, after their number."""
        prefix = next((prefix for prefix in LABELS if self.key.startswith(prefix)), None)
        if prefix is not None:
            label = f"label {self.key.removeprefix('node.labels.')}={self.value}"
            return f"lack {label}" if self.equal else f"have {label}"
        return f"are not {self.key} {self.value}" if self.equal else f"have {self.key} {self.value}"


def parse(text: str) -> Constraint:
    """The constraint that a text says. Raises NoConstraint."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise NoConstraint("is no constraint", 'write it as in "node.labels.disk == ssd" or "node.role != manager"')
    given, relation, value = found.groups()
    key = _long(given)
    if not is_key(key):
        known = ", ".join((*PLAIN, *(f"{prefix}NAME" for prefix in LABELS)))
        raise NoConstraint(f"names {given}, which no machine has", f"there are {known}")
    if key == "node.role" and value.lower() not in ("manager", "worker"):
        raise NoConstraint(f"names {value}, which is no role", "there are manager and worker")
    return Constraint(key, relation == "==", value)


def is_key(text: str) -> bool:
    """Whether machines can differ in what this names, in its long form."""
    return text in PLAIN or any(text.startswith(prefix) and text != prefix for prefix in LABELS)


def is_label(name: str) -> bool:
    """Whether a constraint can name a label of that name."""
    return re.fullmatch(_NAME, name) is not None


def value_of(node: Node, key: str) -> str | None:
    """What a machine has under a constraint's key; None for a label that it lacks."""
    match key:
        case "node.id":
            return node.id
        case "node.hostname":
            return node.name
        case "node.role":
            return node.role
        case "node.platform.os":
            return node.os
        case "node.platform.arch":
            return node.arch
    if key.startswith("engine.labels."):
        return node.engine_labels.get(key.removeprefix("engine.labels."))
    return node.labels.get(key.removeprefix("node.labels."))


def _long(key: str) -> str:
    """The long form of a key: `gbnt.node.role` is `node.role`, and `gbnt.node.X` any label X."""
    if not key.startswith(SHORT):
        return key
    rest = key.removeprefix(SHORT)
    plain = f"node.{rest}"
    return plain if plain in PLAIN or plain.startswith("node.labels.") else f"node.labels.{rest}"


def _architecture(name: str) -> str:
    return _ARCHITECTURES.get(name.lower(), name.lower())
