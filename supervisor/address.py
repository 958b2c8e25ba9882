"""Where an actor lives: a node's name and a path in that node's supervision tree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A place in the legion, e.g. `rome-1/services/shop/web`: node `rome-1`, path `services/shop/web`.

    An address names a place, not a life: it is the same before and after a restart. The empty path is the node's root
    supervisor. `Address.parse(str(address)) == address` for every address.
    """

    node: str
    path: str = ""

    def __post_init__(self) -> None:
        if not self.node or "/" in self.node:
            raise ValueError(f"{self.node!r} cannot name a node: a name is not empty and has no slash")
        if self.path and not all(self.path.split("/")):
            raise ValueError(f"{self.path!r} is no path: write it as a/b/c, without empty parts")

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read what `str()` wrote. Raises ValueError for anything else."""
        node, slash, path = text.partition("/")
        if slash and not path:
            raise ValueError(f"{text!r} is no address: write it as node/path, without a slash at the end")
        return cls(node, path)

    @property
    def name(self) -> str:
        """The last part of the path; empty for the root."""
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> Address:
        """The supervisor's address; the root is its own parent."""
        return Address(self.node, self.path.rpartition("/")[0])

    def __truediv__(self, child: str) -> Address:
        return Address(self.node, f"{self.path}/{child}" if self.path else child)

    def __str__(self) -> str:
        return f"{self.node}/{self.path}" if self.path else self.node
