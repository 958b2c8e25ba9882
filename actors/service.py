"""One service: looks at its tasks after every change and tells the Senate what should become of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actors import protocol
from actors.places import DISPATCHER
from cluster.reconcile import reconcile
from supervisor.actor import Actor, Context
from supervisor.message import message

# History also goes by age, so a service that nothing happens to looks again from time to time.
LOOK_AGAIN = 3600.0
# What was decided may be lost on its way, with the Senate or with its disk.
DECIDE_AGAIN = 2.0


@message("service.look-again/1")
@dataclass(frozen=True, slots=True)
class LookAgain:
    """A timer's tick."""


class ServiceActor(Actor):
    """`key` is `stack/name`; `clock` the time of day."""

    def __init__(self, key: str, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock
        self._view: protocol.ServiceView | None = None

    async def started(self, ctx: Context) -> None:
        """Ask for the service's part of the state."""
        ctx.ref(DISPATCHER).tell(protocol.WantView(self._key))
        ctx.timers.every("look", LOOK_AGAIN, LookAgain())

    async def receive(self, message: object, ctx: Context) -> None:
        """Decide on the newest view."""
        if isinstance(message, protocol.ServiceView):
            self._view = message
        view = self._view
        if view is None:
            return
        decided = reconcile(view.service, view.tasks, self._clock(), view.emptied, dict(view.homes))
        if decided.empty:
            ctx.timers.cancel("decide")
        else:
            ctx.ref("senate").tell(protocol.Plan(view.service, decided))
            ctx.timers.start("decide", DECIDE_AGAIN, LookAgain())

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        if self._view is None:
            return {}
        service = self._view.service
        return {
            "replicas": service.replicas,
            "serving": sum(task.serving for task in self._view.tasks),
            "revision": service.revision,
        }
