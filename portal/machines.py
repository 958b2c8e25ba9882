"""Questions to machines, whose answers are waited for no longer than somebody wants to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

from actors.protocol import Failed
from cluster.model import Node, State
from portal.backend import Backend
from supervisor.errors import ActorError, AskTimeout, NoSuchActor

REACHED = ("ready", "returning")

T = TypeVar("T")


class Silent(Exception):
    """A machine did not say. The text is why, as the end of a sentence that begins with its name."""


async def ask_machine(backend: Backend, node: Node, path: str, question: object, kind: type[T], seconds: float) -> T:
    """What the actor at `path` of a machine answers, within `seconds`. Raises Silent, of `Failed` with its reason.

    A machine that is known to be away is not asked.
    """
    if node.status not in REACHED:
        raise Silent(f"is {node.status}" + (f": {node.message}" if node.message not in ("", node.status) else ""))
    try:
        answer = await backend.ask_node(node.id, path, question, seconds)
    except NoSuchActor as error:
        raise Silent("has a gbnt that cannot say: upgrade it") from error
    except AskTimeout as error:
        raise Silent(f"did not answer within {seconds:g} s") from error
    except ActorError as error:
        raise Silent("does not answer") from error
    if isinstance(answer, Failed):
        raise Silent(answer.reason)
    if not isinstance(answer, kind):
        raise Silent("has a gbnt that answered something else: upgrade it")
    return answer


@dataclass(slots=True)
class Heard(Generic[T]):
    """What machines answered, by their ids, and why others did not."""

    answers: dict[str, T] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)


async def ask_each(
    backend: Backend, state: State, path: str, questions: Mapping[str, object], kind: type[T], seconds: float
) -> Heard[T]:
    """Ask the actor at `path` of some machines, by their ids, all at the same time, as `ask_machine` does."""
    heard = Heard[T]()

    async def ask(id: str, question: object) -> None:
        try:
            heard.answers[id] = await ask_machine(backend, state.nodes[id], path, question, kind, seconds)
        except Silent as why:
            heard.silent[id] = str(why)

    async with anyio.create_task_group() as group:
        for id, question in questions.items():
            group.start_soon(ask, id, question)
    return heard


async def at_all(state: State, work: Callable[[Node], Awaitable[T]], take: Callable[[T], Awaitable[None]]) -> None:
    """Do some work at every machine at the same time, and take each result, one by one, as soon as it is there."""
    one_by_one = anyio.Lock()

    async def one(node: Node) -> None:
        result = await work(node)
        async with one_by_one:
            await take(result)

    async with anyio.create_task_group() as group:
        for node in state.nodes.values():
            group.start_soon(one, node)
