"""A legion of 5 to 50 machines, simulated with bad luck of all kinds, by seed.

`GBNT_SEEDS=123 pytest tests/sim -m soak` runs one seed alone, `GBNT_SEEDS=100:200` a hundred of them.
"""

from collections.abc import Iterator

import pytest

from tests.sim.campaign import Campaign, campaign
from tests.sim.seeds import place, seeds, silence

MANY, ALL = range(300), range(10_000)


# They run beside the tests of engines, and leave the processor to those.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Links log each cut; here they are cut by the thousand."""
    with silence():
        yield


def run(seed: int) -> Campaign:
    with place() as directory:
        return campaign(seed, directory)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY)
def test_a_legion_keeps_its_promises(seed: int):
    run(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(ALL))
def test_a_legion_keeps_its_promises_for_long(seed: int):
    run(seed)


@pytest.mark.slow
def test_a_seed_tells_the_same_story_again():
    assert run(3).log == run(3).log
