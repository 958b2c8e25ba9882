"""Following the Senate across its restarts: one small part that every follower has."""

from __future__ import annotations

from dataclasses import dataclass

from actors.places import SENATE
from actors.protocol import Follow, Unfollow
from supervisor.actor import Context
from supervisor.message import Terminated, message


@message("state.follow-again/1")
@dataclass(frozen=True, slots=True)
class FollowAgain:
    """A timer's tick: the Senate may be back."""


@dataclass(frozen=True, slots=True)
class Following:
    """Follows the Senate on behalf of an actor. `pause` is how many seconds after its end the next one is tried.

    The actor calls `begin` when it starts, and passes on each `Terminated` and `FollowAgain`. What an incarnation of
    the Senate tells first is the whole state.
    """

    pause: float

    def begin(self, ctx: Context) -> None:
        """Ask for the present state and every one that follows, and watch whoever is asked."""
        senate = ctx.ref(SENATE)
        ctx.watch(senate)
        senate.tell(Follow(str(ctx.address)))

    def go_on(self, message: Terminated | FollowAgain, ctx: Context) -> None:
        """Begin again a pause after the Senate has ended, until there is one."""
        if isinstance(message, FollowAgain):
            self.begin(ctx)
        elif message.address == str(ctx.ref(SENATE).address):
            ctx.timers.start("follow", self.pause, FollowAgain())

    def end(self, ctx: Context) -> None:
        """No more states."""
        ctx.ref(SENATE).tell(Unfollow(str(ctx.address)))
