"""What the readers of keys need besides the value: the stack's name and files, and how much is left to spend."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster.compose.reading.files import Files
from cluster.compose.reading.value import Value
from cluster.compose.tree.nodes import Path, Place

# A short file can ask for very much (a range of ports, one large environment file for each service).
MOST_PORTS = 20_000
MOST_ENVIRONMENT = 16 * 1024 * 1024


@dataclass(slots=True)
class Budget:
    """What all services of a stack may use together."""

    what: str
    left: int

    def spend(self, amount: int, value: Value) -> None:
        """Take from the budget; raises `Refused` at `value` once it is used up."""
        self.left -= amount
        if self.left < 0:
            raise value.refuse(f"the stack has too {self.what}", code="too-large")


@dataclass(frozen=True, slots=True)
class Scope:
    """`profiles` are those that are switched on, `*` for all; `files` reads what the stack's files name.

    `named_profiles` are all that the files name. `origins` says where in a file a part of the canonical form comes
    from, where its path is another there. `contents` are those of the configs that are used, by their keys, and
    `relative` the paths of binds that a file names from where it is, or from the home folder. `aside`
    are the services that no profile that is on lets in.
    """

    stack: str
    files: Files
    profiles: frozenset[str] = frozenset()
    named_profiles: set[str] = field(default_factory=set)
    origins: dict[Path, Place] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    relative: set[str] = field(default_factory=set)
    aside: list[str] = field(default_factory=list)
    ports: Budget = field(default_factory=lambda: Budget("many ports", MOST_PORTS))
    variables: Budget = field(default_factory=lambda: Budget("large an environment", MOST_ENVIRONMENT))
