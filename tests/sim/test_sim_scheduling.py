"""The canary of `tests.sim.scheduling`: if trio's private names change their meaning, this says so first."""

import anyio
import pytest

from tests.sim.scheduling import run_seeded, virtual_backend


async def trace() -> tuple[str, ...]:
    seen: list[str] = []

    async def walk(name: str) -> None:
        for _ in range(5):
            seen.append(name)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for name in "abcd":
            group.start_soon(walk, name)
    return tuple(seen)


def test_a_seed_repeats_its_schedule_and_seeds_differ():
    first = [run_seeded(seed, trace) for seed in range(10)]
    again = [run_seeded(seed, trace) for seed in range(10)]
    assert first == again
    assert len(set(first)) == 10


@pytest.mark.parametrize("name", ["asyncio", "trio"])
def test_a_virtual_day_passes_at_once(name: str):
    async def day() -> float:
        begin = anyio.current_time()
        await anyio.sleep(86_400)
        return anyio.current_time() - begin

    backend, options = virtual_backend(name)
    assert anyio.run(day, backend=backend, backend_options=options) == pytest.approx(86_400)
