"""Whether two nodes that meet can talk: the protocols that this release speaks, and what a refused peer is told."""

from __future__ import annotations

from dataclasses import dataclass

from transport.frames import Hello

OLDEST, NEWEST = 1, 1


class Refused(Exception):
    """The peer is not talked to. The text is a sentence for whoever runs it, and is sent to it."""


@dataclass(frozen=True, slots=True)
class Local:
    """This node: its name, the id of this run of gbnt, its cluster, and the protocols that it speaks."""

    node: str
    boot: str
    cluster: str
    oldest: int = OLDEST
    newest: int = NEWEST


def check(local: Local, hello: Hello, peer: str) -> None:
    """Raise Refused unless this node can talk to who says hello on a channel of `peer`."""
    if hello.node != peer:
        raise Refused(f"{peer} says that it is {hello.node}: a node speaks for itself alone")
    if hello.cluster != local.cluster:
        raise Refused(
            f"{peer} belongs to the cluster {hello.cluster} and {local.node} to {local.cluster}: "
            f"let {peer} leave its own and join this one"
        )
    if hello.newest < local.oldest:
        raise Refused(_versions(local, hello) + f": upgrade gbnt on {peer}")
    if hello.oldest > local.newest:
        raise Refused(_versions(local, hello) + f": upgrade gbnt on {local.node}")


def _versions(local: Local, hello: Hello) -> str:
    theirs, ours = _range(hello.oldest, hello.newest), _range(local.oldest, local.newest)
    return f"{hello.node} speaks protocol {theirs} and {local.node} {ours}"


def _range(oldest: int, newest: int) -> str:
    return str(newest) if oldest == newest else f"{oldest} to {newest}"
