"""Follows the Senate and shows each service and each machine its own part of the state, and each resolver its names.

It keeps one actor alive for each service and each node that the state names. A commit that touches one service wakes
that service's actor alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from actors import protocol
from actors.following import FollowAgain, Following
from actors.places import MEMBERSHIP
from actors.views import node_views, same_view
from cluster.company import strays
from cluster.everywhere import homes
from cluster.model import Service, State, Task
from cluster.moves import emptied
from cluster.naming import clients, machines, names
from cluster.placement import offer
from cluster.presence import PAUSED, pause_above
from cluster.zones import Zones
from supervisor.actor import Actor, Context, Envelope
from supervisor.address import Address
from supervisor.message import Terminated
from supervisor.spec import ChildSpec, dynamic

SERVICES, NODES = "control/services", "control/nodes"
RETRY = 0.2


class Dispatcher(Actor):
    """`service` and `node` make the actors of a service's key and of a node's id.

    Of the commits that came in while it was busy it shows the newest alone: the others are history.
    """

    mailbox_size: ClassVar[int] = 10_000
    batch: ClassVar[int] = 256

    def __init__(self, service: Callable[[str], Actor], node: Callable[[str], Actor]) -> None:
        self._following = Following(RETRY)
        self._make_service = service
        self._make_node = node
        self._state = State()
        self._services: dict[str, protocol.ServiceView] = {}
        self._nodes: dict[str, protocol.NodeView] = {}
        self._ready: frozenset[object] = frozenset()
        self._agents: dict[str, protocol.RegisterAgent] = {}
        self._names = Zones()
        self._zones: dict[str, Zones] = {}
        self._members: protocol.NodesNow | None = None
        self._resolvers: dict[str, str] = {}

    async def started(self, ctx: Context) -> None:
        """Ask the Senate for the state, and for every one that follows."""
        self._following.begin(ctx)

    async def receive_batch(self, envelopes: Sequence[Envelope], ctx: Context) -> None:
        """Take in all that waits, and of the commits the last one."""
        messages = [envelope.message for envelope in envelopes]
        commits = [index for index, message in enumerate(messages) if isinstance(message, protocol.Committed)]
        for index, message in enumerate(messages):
            if index not in commits[:-1]:
                await self.receive(message, ctx)

    async def receive(self, message: object, ctx: Context) -> None:
        """Take in a commit, or a wish for a view."""
        match message:
            case protocol.Committed(state):
                self._state = state
                await self._show_services(ctx)
                await self._show_nodes(ctx)
                self._show_names(ctx)
                self._show_members(ctx)
            case protocol.WantView(key):
                self._show_again(key, ctx)
            case protocol.RegisterAgent(node):
                self._agents[node] = message
                self._show_again(node, ctx)
            case protocol.WantNames(node, resolver, serial):
                self._resolvers[node] = resolver
                if node in self._zones and self._zones[node].serial != serial:
                    self._tell_names(node, ctx)
            case Terminated() | FollowAgain():
                self._following.go_on(message, ctx)

    async def _show_services(self, ctx: Context) -> None:
        by_service: defaultdict[str, list[Task]] = defaultdict(list)
        for task in self._state.tasks.values():
            by_service[task.service_key].append(task)
        for key in sorted(self._services.keys() - self._state.services.keys()):
            await self._drop_service(self._services.pop(key).service, ctx)
        ready = frozenset(offer(node) for node in self._state.nodes.values() if node.status == "ready")
        leaving, astray = emptied(self._state.nodes.values()), strays(self._state)
        others, self._ready = ready != self._ready, ready  # other machines: a task that waits for one may get it now
        for key, service in self._state.services.items():
            tasks = tuple(by_service[key])
            machines = tuple(sorted((leaving | astray.get(key, frozenset())) & {task.node for task in tasks}))
            at_home = tuple(homes(service, tasks, self._state.nodes.values()).items())
            view = protocol.ServiceView(self._state.revision, service, tasks, machines, at_home)
            known = self._services.get(key)
            same = known is not None and replace(known, revision=view.revision) == view
            if same and not (others and any(task.state == "pending" for task in tasks)):
                continue
            await self._show_service(key, view, ctx)

    async def _show_service(self, key: str, view: protocol.ServiceView, ctx: Context) -> None:
        service = view.service
        new = key not in self._services
        self._services[key] = view
        if new:
            # A new actor asks for its view itself, as it does after a crash: one way to begin.
            if not any(known.service.stack == service.stack for other, known in self._services.items() if other != key):
                await ctx.system.start_child(SERVICES, ChildSpec(service.stack, dynamic()))
            await ctx.system.start_child(
                f"{SERVICES}/{service.stack}", ChildSpec(service.name, lambda: self._make_service(key))
            )
        else:
            ctx.ref(f"{SERVICES}/{key}").tell(view)

    async def _drop_service(self, service: Service, ctx: Context) -> None:
        last = not any(known.service.stack == service.stack for known in self._services.values())
        await ctx.system.stop_child(f"{SERVICES}/{service.stack}" if last else f"{SERVICES}/{service.key}")

    async def _show_nodes(self, ctx: Context) -> None:
        for node in sorted(self._nodes.keys() - self._state.nodes.keys()):
            del self._nodes[node]
            self._zones.pop(node, None)
            await ctx.system.stop_child(f"{NODES}/{node}")
        for node, view in node_views(self._state).items():
            known = self._nodes.get(node)
            # What the machine itself saw since the last view is no news to it, but is to an agent that begins.
            self._nodes[node] = view
            if known is None:
                await ctx.system.start_child(NODES, ChildSpec(node, partial(self._make_node, node)))
            elif not same_view(known, view):
                ctx.ref(f"{NODES}/{node}").tell(view)

    def _show_members(self, ctx: Context) -> None:
        nodes, settings = tuple(self._state.nodes.values()), self._state.settings
        members = protocol.NodesNow(nodes, settings.get(PAUSED, ""), pause_above(settings))
        if members != self._members:
            self._members = members
            ctx.ref(MEMBERSHIP).tell(members)

    def _show_names(self, ctx: Context) -> None:
        now = Zones(0, names(self._state), machines=machines(self._state))
        news, self._names = now != self._names, now
        for node, asking in clients(self._state).items():
            if news or node not in self._zones or self._zones[node].clients != asking:
                self._zones[node] = replace(now, serial=self._state.revision, clients=asking)
                self._tell_names(node, ctx)

    def _tell_names(self, node: str, ctx: Context) -> None:
        if node in self._resolvers:
            ctx.ref(Address.parse(self._resolvers[node])).tell(protocol.NamesNow(self._zones[node]))

    def _show_again(self, key: str, ctx: Context) -> None:
        if key in self._services:
            ctx.ref(f"{SERVICES}/{key}").tell(self._services[key])
        if key in self._nodes:
            ctx.ref(f"{NODES}/{key}").tell(self._nodes[key])
            if key in self._agents:
                ctx.ref(f"{NODES}/{key}").tell(self._agents[key])

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        return {"revision": self._state.revision, "services": len(self._services), "nodes": len(self._nodes)}
