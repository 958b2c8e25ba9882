"""Trees under random commands, by seed: whatever happens, the runtime's promises hold.

Actors crash, hang, stop, spawn and ask while children come and go. After each run every question was answered, no two
lives shared an address, and every message told was handled, was in a handler that ended, or is a dead letter.
"""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

import anyio
import pytest

from supervisor.actor import Actor, Context
from supervisor.errors import ActorError
from supervisor.spec import ChildSpec, Restart, Strategy, SupervisorSpec
from supervisor.system import System
from tests.sim.scheduling import run_seeded

COMMANDS = ["work", "work", "work", "reply", "reply", "crash", "stop", "sleep", "spawn", "bad spawn"]
PATHS = ["a", "b", "c", "inner/x", "inner/y", "tasks/t0", "tasks/t1", "tasks/t2", "nobody"]


@dataclass
class Books:
    """What the actors and their senders saw."""

    alive: Counter[str] = field(default_factory=Counter)
    overlaps: int = 0
    told: int = 0
    begun: int = 0


class Restless(Actor):
    """Does as it is told, and keeps the books."""

    mailbox_size = 5

    def __init__(self, books: Books, random: Random) -> None:
        self.books = books
        self.random = random

    async def started(self, ctx: Context) -> None:
        ctx.spawn("presence", self._presence, ctx.address.path)
        if self.random.random() < 0.1:
            raise RuntimeError("no start today")

    async def _presence(self, path: str) -> None:
        self.books.alive[path] += 1
        self.books.overlaps += self.books.alive[path] > 1
        try:
            await anyio.sleep_forever()
        finally:
            self.books.alive[path] -= 1

    async def receive(self, message: object, ctx: Context) -> None:
        match message:
            case "spawned":
                return
            case _:
                self.books.begun += 1
        match message:
            case "reply":
                ctx.reply("here")
            case "crash":
                raise RuntimeError("told to")
            case "stop":
                ctx.stop()
            case "sleep":
                await anyio.sleep(self.random.random() * 3)
            case "spawn":
                ctx.spawn("job", self._job)
            case "bad spawn":
                ctx.spawn("bad job", self._bad_job)

    async def _job(self) -> str:
        await anyio.sleep(self.random.random())
        return "spawned"

    async def _bad_job(self) -> None:
        await anyio.sleep(self.random.random())
        raise OSError("job failed")


async def history(seed: int) -> tuple[Books, int]:
    """One run: the books, and how many messages became dead letters."""
    random, books = Random(seed), Books()
    system = System("rome-1", dead_letter_log=lambda letter, unlogged: None)

    def child(id: str) -> ChildSpec:
        return ChildSpec(
            id,
            lambda: Restless(books, random),
            restart=random.choice(list(Restart)),
            shutdown=random.choice([0, 0.5, 5]),
        )

    async def customer() -> None:
        for _ in range(25):
            await anyio.sleep(random.random())
            path, command = random.choice(PATHS), random.choice(COMMANDS)
            books.told += 1
            if random.random() < 0.5:
                system.ref(path).tell(command)
                continue
            try:
                with anyio.fail_after(20):
                    await system.ref(path).ask(command, timeout=random.random() * 5)
            except ActorError:
                pass

    async def manager() -> None:
        for number in range(25):
            await anyio.sleep(random.random())
            try:
                if random.random() < 0.6:
                    await system.start_child("tasks", child(f"t{number % 3}"))
                else:
                    await system.stop_child(f"tasks/t{number % 3}")
            except ActorError:
                pass

    def inner(*children: ChildSpec) -> SupervisorSpec:
        return SupervisorSpec(random.choice(list(Strategy)), children, intensity=random.randrange(5))

    spec = SupervisorSpec(
        random.choice(list(Strategy)),
        (
            child("a"),
            child("b"),
            ChildSpec("inner", inner(child("x"), child("y"))),
            child("c"),
            ChildSpec("tasks", inner()),
        ),
        intensity=random.randrange(40),
    )
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(customer)
        group.start_soon(manager)
        try:
            with anyio.move_on_after(random.random() * 40):
                await system.run(spec)
        except ActorError:
            pass
    return books, len(system.dead_letters)


@pytest.mark.parametrize("seed", range(60))
def test_the_promises_hold_whatever_happens(seed: int):
    books, lost = run_seeded(seed, history, seed)
    assert books.overlaps == 0, "two lives shared an address"
    assert set(books.alive.values()) <= {0}, "somebody outlived the system"
    assert books.told == books.begun + lost


def test_a_seed_repeats_its_history():
    assert run_seeded(7, history, 7) == run_seeded(7, history, 7)
