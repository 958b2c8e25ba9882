"""Who may call the engine, and in what order."""

from functools import partial

import anyio
import pytest

from actors.gate import Gate

pytestmark = pytest.mark.anyio


class Visitors:
    """Go through a gate under a name each, stay until they are let out, and are written down as they come in."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.came: list[str] = []
        self.scopes: dict[str, anyio.CancelScope] = {}

    async def visit(self, name: str, *, finishing: bool = False, for_seconds: float = 1.0) -> None:
        with anyio.CancelScope() as self.scopes[name]:
            async with self.gate.pass_through(finishing=finishing):
                self.came.append(name)
                await anyio.sleep(for_seconds)


async def test_no_more_are_inside_than_it_holds_and_all_get_in():
    visitors = Visitors(Gate(2))
    async with anyio.create_task_group() as group:
        for name in "abcde":
            group.start_soon(visitors.visit, name)
        await anyio.sleep(0.5)
        assert len(visitors.came) == 2
        await anyio.sleep(1.0)
        assert len(visitors.came) == 4
    assert sorted(visitors.came) == list("abcde")


async def test_who_finishes_what_was_begun_goes_before_who_begins():
    visitors = Visitors(Gate(1))
    async with anyio.create_task_group() as group:
        group.start_soon(visitors.visit, "inside")
        await anyio.wait_all_tasks_blocked()
        group.start_soon(visitors.visit, "create")
        await anyio.wait_all_tasks_blocked()
        group.start_soon(partial(visitors.visit, finishing=True), "start")
        await anyio.wait_all_tasks_blocked()
    assert visitors.came == ["inside", "start", "create"]


async def test_who_is_cancelled_while_waiting_takes_no_turn():
    visitors = Visitors(Gate(1))
    async with anyio.create_task_group() as group:
        for name in ("inside", "leaves", "next"):
            group.start_soon(visitors.visit, name)
            await anyio.wait_all_tasks_blocked()
        visitors.scopes["leaves"].cancel()
    assert visitors.came == ["inside", "next"]


async def test_a_turn_that_comes_with_a_cancellation_is_passed_on():
    visitors = Visitors(Gate(1))
    async with anyio.create_task_group() as group:
        for name in ("inside", "leaves", "next"):
            group.start_soon(visitors.visit, name)
            await anyio.wait_all_tasks_blocked()
        # Both in one step of the loop: the one inside lets go, and the one whose turn it is leaves.
        visitors.scopes["inside"].cancel()
        visitors.scopes["leaves"].cancel()
    assert visitors.came == ["inside", "next"]
    with anyio.fail_after(5.0):
        await visitors.visit("later")
