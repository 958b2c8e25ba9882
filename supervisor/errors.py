"""What can go wrong between actors.

    ActorError
    ├── NoSuchActor                   nobody lives at the address
    ├── Unreachable                   the address is on a node that no router leads to
    ├── MailboxFull                   the actor is behind: ask again later
    ├── AskTimeout                    no answer in time; it may have been done, or be done yet
    ├── ActorStopped                  the actor ended in order before it answered
    │   └── ActorCrashed              the actor's own fault: it raised before it answered
    └── SupervisionError
        ├── AlreadyStarted            the caller's fault: a child of that name is alive
        ├── StartFailed               the child's fault: it raised while it started
        └── RestartIntensityExceeded  a child's fault, too often: its supervisor gives up

`tell` raises none of these. `ask` and `offer` raise the upper half, `System` the lower.
"""

from __future__ import annotations

from supervisor.address import Address


class ActorError(Exception):
    """The base of all of them."""


class NoSuchActor(ActorError):
    """Nobody lives at the address, or nobody there who can read what was asked."""

    def __init__(self, address: Address, reason: str = "") -> None:
        super().__init__(f"no actor lives at {address}" + (f" that could read it: {reason}" if reason else ""))
        self.address = address
        self.reason = reason


class Unreachable(ActorError):
    """The address is on another node, and this one has no way to it, or has lost it. It may have been done."""

    def __init__(self, address: Address, reason: str = "this node has no router") -> None:
        super().__init__(f"no way leads to {address}: {reason}")
        self.address = address
        self.reason = reason


class MailboxFull(ActorError):
    """The actor has as many messages waiting as it takes."""

    def __init__(self, address: Address, capacity: int) -> None:
        super().__init__(f"{address} is behind: {capacity} messages wait in its mailbox; try again later")
        self.address = address
        self.capacity = capacity


class AskTimeout(ActorError):
    """No answer came in time. What was asked may have been done."""

    def __init__(self, address: Address, message: object) -> None:
        super().__init__(f"{address} did not answer {type(message).__name__} in time")
        self.address = address


class ActorStopped(ActorError):
    """The actor ended before it answered."""

    def __init__(self, address: Address, reason: str) -> None:
        super().__init__(f"{address} ended before it answered: {reason}")
        self.address = address
        self.reason = reason


class ActorCrashed(ActorStopped):
    """The actor raised, or was killed, before it answered."""


class SupervisionError(ActorError):
    """A supervisor could not do as it was told."""


class AlreadyStarted(SupervisionError):
    """A child of that name is alive, or about to be restarted."""

    def __init__(self, address: Address) -> None:
        super().__init__(f"{address} is there already: stop it first, or give the new child another id")
        self.address = address


class StartFailed(SupervisionError):
    """A child raised in `started`, or a supervisor's child did; `cause` is that exception."""

    def __init__(self, address: Address, cause: Exception) -> None:
        super().__init__(f"{address} did not start: {explain(cause)}")
        self.address = address
        self.cause = cause


class RestartIntensityExceeded(SupervisionError):
    """A supervisor's children needed more restarts than it allows: it stops them all and fails itself."""

    def __init__(self, address: Address, child: Address, intensity: int, period: float) -> None:
        super().__init__(
            f"{address} gave up: more than {intensity} restarts in {period:g} s, the last for {child.name or child}"
        )
        self.address = address
        self.child = child


def explain(error: BaseException) -> str:
    """Return one line about an exception for a person: its class and what it says."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
