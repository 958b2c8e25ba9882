"""A legion, simulated with bad luck of all kinds, by seed. `SIM_SEED=123 pytest tests/sim` runs one seed alone."""

import os
from collections.abc import Iterator

import pytest

from tests.sim.campaign import Campaign, campaign
from tests.sim.seeds import place, silence

SEEDS, LONG = 40, 2_000
CHOSEN = os.environ.get("SIM_SEED")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Links log each cut; here they are cut by the thousand."""
    with silence():
        yield


def run(seed: int) -> Campaign:
    with place() as directory:
        return campaign(seed, directory)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [int(CHOSEN)] if CHOSEN else range(SEEDS))
def test_a_legion_keeps_its_promises(seed: int):
    run(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEEDS, SEEDS + LONG))
def test_a_legion_keeps_its_promises_for_long(seed: int):
    run(seed)


@pytest.mark.slow
def test_a_seed_tells_the_same_story_again():
    assert run(3).log == run(3).log
