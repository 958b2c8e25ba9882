"""Builds what the doors' tests speak of: a state with a stack in it, and a node's ports that a test scripts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import anyio

from actors import auditing
from actors.pipe import pipe
from actors.protocol import Accepted, Asked, Committed, Events, GetEvents, GetState, NoteDeed, Progress
from actors.stream import Stream, Work, serve
from cluster import registries
from cluster.audit import AuditRecord, Deed
from cluster.container import ExecSpec
from cluster.event import Event
from cluster.model import Attempt, HostPort, Node, Service, Stack, State, Task, Token, revision_key
from cluster.pinning import Resolved
from cluster.spec import NetworkSpec, Port, ServiceSpec, StackSpec, VolumeSpec
from portal.backend import Backend, EngineFailed, Identity, Told
from portal.credentials import Credential
from portal.gate import Gate
from portal.meters import Meters
from supervisor.address import Address
from supervisor.errors import NoSuchActor
from supervisor.inspection import ActorInfo
from tests.actors.house import GlassVault

NOW = 1_700_000_000.0
NODE = "rome-1"


def credential(role: str) -> Credential:
    """The credential of a token that every built state knows; its id tells the role."""
    return Credential(role, f"secret-of-{role}")


def bearer(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {credential(role).text}"}


def token(role: str, **fields: object) -> Token:
    return replace(Token(role, f"{role}'s", role, credential(role).hash, NOW - 100, used_at=NOW), **fields)  # type: ignore[arg-type]


WEB = ServiceSpec("web", "web:1", ports=(Port(80, 8080, 8089),), replicas=2)
SHOP = StackSpec(
    "shop",
    {"web": WEB},
    networks={"default": NetworkSpec("shop_default")},
    volumes={"data": VolumeSpec("shop_data")},
)


def task(slot: int = 1, service: ServiceSpec = WEB, **fields: object) -> Task:
    """A healthy task of the shop."""
    made = Task(
        id=f"{service.name}{slot}-aaaa",
        stack="shop",
        service=service.name,
        slot=slot,
        revision=service.revision(),
        generation=0,
        node=NODE,
        desired="run",
        state="running",
        message="running",
        created_at=NOW - 60,
        since=NOW - 50,
        container_id=f"{service.name}{slot}-container",
        container_name=f"shop-{service.name}-{slot}-x",
        started_at=NOW - 50,
        addresses={"shop_default": "10.9.0.5"},
        ports=(HostPort(80, "tcp", "0.0.0.0", 8080),),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def attempt(number: int, container: str, reason: str = "exit 1") -> Attempt:
    return Attempt(number, container, f"name-of-{container}", 1, reason, NOW - 40, NOW - 30)


def state(*tasks: Task, revision: int = 7, **fields: object) -> State:
    """A state with the shop in it, run by these tasks (two healthy ones unless told), and a token of each role."""
    tasks = tasks or (task(1), task(2))
    service = Service("shop", "web", WEB, WEB.revision(), 2, NOW - 60, NOW - 60)
    node = Node(
        NODE, "rome", "manager", "ready", "", "10.0.0.1", NOW - 90, "20.10.24", volumes=("shop_data", "old_data")
    )
    built = State(
        revision=revision,
        epoch=3,
        stacks={"shop": Stack("shop", SHOP, NOW - 60, NOW - 60)},
        services={"shop/web": service},
        tasks={one.id: one for one in tasks},
        nodes={NODE: node},
        tokens={role: token(role) for role in ("admin", "operator", "viewer")},
        revisions={revision_key("shop/web", WEB.revision()): WEB},
    )
    return replace(built, **fields)  # type: ignore[arg-type]


def event(revision: int, number: int = 1, message: str = "deployed") -> Event:
    return Event(revision, number, NOW, "stack.deployed", "shop", message)


def commit(state: State, *events: Event) -> Told:
    return Told(state.revision, state.epoch, events, state)


def actor(path: str, **fields: object) -> ActorInfo:
    info = ActorInfo(
        address=Address(NODE, path),
        kind="Senate",
        state="running",
        incarnation=1,
        mailbox=2,
        capacity=1000,
        processed=10,
        restarts=1,
        last_failure="ValueError: oh",
        last_failure_at=NOW,
        started_at=NOW - 9,
        children=(),
        detail={"followers": 1},
    )
    return replace(info, **fields)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Said:
    """A line of a container's output."""

    at: str
    text: str
    stream: str = "stdout"


class FakeNode:
    """The ports of a backend. A test sets what they answer, and reads what they were asked."""

    def __init__(self, present: State | None = None) -> None:
        self.state = present or state()
        self.asked: list[tuple[str, object]] = []
        self.deeds: list[Asked] = []
        self.noted: list[tuple[Deed, str]] = []
        self.records: list[AuditRecord] = []
        self.replies: dict[type, object] = {}
        self.of_nodes: dict[str, object] = {}
        self.answers: dict[type, object] = {}
        self.asked_nodes: list[tuple[str, str, object]] = []
        self.events = Events((event(5), event(6), event(6, 2)), compacted=2)
        self.output: dict[str, list[Said] | EngineFailed] = {}
        self.breaks: dict[str, list[Said | EngineFailed]] = {}
        self.read: list[tuple[str, bool, int | None, float]] = []
        self.ran: list[tuple[str, ExecSpec]] = []
        self.let_go = 0
        self.command: Work | EngineFailed = EngineFailed("the test says what the command does")
        self.built: list[tuple[bytes, str, Mapping[str, str]]] = []
        self.build_fails = ""
        self.signed_in = 0
        self.tags: dict[str, Resolved] = {}
        self.looked_up: list[tuple[str, registries.Credential | None]] = []
        self.now = NOW
        web = actor("services/shop/web", kind="ServiceActor", restarts=0)
        self.tree = [actor(""), actor("senate"), web, actor("portal/api", kind="Door")]
        self.following = 0
        self.nobody_follows = anyio.Event()
        self.told, self._messages = anyio.create_memory_object_stream[Told | Progress](100)
        self.gate: Gate | None = None
        self.meters = Meters("0.1.0")

    def backend(self) -> Backend:
        return Backend(
            identity=Identity("legion", "c-1", NODE, "0.1.0"),
            ask=self.ask,
            ask_node=self.ask_node,
            follow=self.follow,
            inspect=lambda path: self.tree,
            logs=self.logs,
            exec=self.exec,
            build=self.build,
            image_id=self.image_id,
            registries=self,
            vault=GlassVault(),
            first_sign_in=self.first_sign_in,
            clock=lambda: self.now,
            dead_letters=lambda: {"overflow": 3},
            meters=self.meters,
            gate=self.gate,
        )

    def close(self) -> None:
        self.told.close()
        self._messages.close()

    def tell(self, *messages: Committed | Progress) -> None:
        for message in messages:
            self.told.send_nowait(message if isinstance(message, Progress) else commit(message.state, *message.events))

    async def ask(self, path: str, message: object, timeout: float) -> object:
        if isinstance(message, NoteDeed):
            if isinstance(failure := self.replies.get(NoteDeed), Exception):
                raise failure
            self.noted.append((message.deed, message.outcome))
            self.records.append(auditing.noted(message, self.now, self.state.revision))
            return Accepted(self.state.revision)
        if isinstance(message, Asked):
            self.deeds.append(message)
            reply = await self.ask(path, message.command, timeout)
            decided = isinstance(reply, Accepted)
            record = auditing.record(message, reply, self.now, self.state.revision, decided=decided, repeated=False)
            self.records.extend(filter(None, [record]))
            return reply
        self.asked.append((path, message))
        reply = self.replies.get(type(message))
        if isinstance(reply, Exception):
            raise reply
        if reply is not None:
            return reply(message) if callable(reply) else reply
        match message:
            case GetState():
                return self.state
            case GetEvents() as wanted:
                return self._kept(wanted)
            case _ if path == "senate":
                return Accepted(8, {"web": "created"})
        raise NoSuchActor(Address(NODE, path))

    def _kept(self, wanted: GetEvents) -> Events:
        place = (wanted.after, wanted.number) if wanted.after else (0, 0)
        shown = [one for one in self.events.events if not (wanted.discreet and one.is_for_admins)]
        kept = [one for one in shown if (one.revision, one.number) > place]
        chosen = kept[: wanted.limit] if wanted.after else kept[max(0, len(kept) - wanted.limit) :]
        return replace(self.events, events=tuple(chosen))

    async def ask_node(self, node: str, path: str, message: object, timeout: float) -> object:
        reply = self.of_nodes.get(node)
        if reply is None:
            raise NoSuchActor(Address(node, path))
        self.asked_nodes.append((node, path, message))
        return reply(path, message) if callable(reply) else reply

    def commands(self) -> list[object]:
        """The questions apart from those for the state."""
        return [message for _, message in self.asked if not isinstance(message, GetState)]

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[AsyncIterator[Told | Progress]]:
        self.following += 1
        try:
            async with self._messages.clone() as messages:
                yield messages
        finally:
            self.following -= 1
            self.nobody_follows.set()

    async def logs(
        self, task: Task, container: str, *, follow: bool, tail: int | None, since: float
    ) -> AsyncGenerator[list[Said], None]:
        self.read.append((container, follow, tail, since))
        lines = self.output.get(container, [])
        if isinstance(lines, EngineFailed):
            raise lines
        for line in self.breaks.pop(container, lines):
            if isinstance(line, EngineFailed):
                raise line
            yield [line]

    @asynccontextmanager
    async def exec(self, task: Task, container: str, spec: ExecSpec) -> AsyncIterator[Stream]:
        self.ran.append((container, spec))
        if isinstance(self.command, EngineFailed):
            raise self.command
        here, there = pipe()
        async with anyio.create_task_group() as group:
            group.start_soon(serve, there, self.command)
            try:
                yield here
            finally:
                here.close()
                there.close()
        self.let_go += 1

    async def build(self, context: AsyncIterator[bytes], tag: str, options: Mapping[str, str]) -> AsyncIterator[str]:
        body = b"".join([chunk async for chunk in context])
        self.built.append((body, tag, options))
        yield "Step 1/1 : FROM scratch"
        if self.build_fails:
            raise EngineFailed(self.build_fails)

    async def image_id(self, reference: str) -> str:
        return f"sha256:{reference}"

    async def digest(self, image: str, credential: registries.Credential | None) -> Resolved:
        self.looked_up.append((image, credential))
        return self.tags.get(image, Resolved())

    async def sign_in(self, registry: str, credential: registries.Credential) -> None:
        if credential.password == "wrong":
            raise EngineFailed(f"the registry does not know {credential.username} at {registry} by this password")

    async def first_sign_in(self) -> None:
        self.signed_in += 1
