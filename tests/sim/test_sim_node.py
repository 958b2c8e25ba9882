"""One node, simulated with bad luck of all kinds, by seed. `GBNT_SEEDS` is as in the legion's simulation."""

from collections.abc import Iterator

import pytest

from tests.sim.seeds import place, seeds, silence
from tests.sim.simulation import Simulation, simulate

MANY, ALL = range(200), range(5_000)


# They run beside the tests of engines, and leave the processor to those.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The runtime logs each crash with its traceback; here actors crash by the thousand."""
    with silence():
        yield


def run(seed: int) -> Simulation:
    with place() as directory:
        return simulate(seed, directory)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY)
def test_a_node_keeps_its_promises(seed: int):
    run(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(ALL))
def test_a_node_keeps_its_promises_for_long(seed: int):
    run(seed)


@pytest.mark.slow
def test_a_seed_tells_the_same_story_again():
    assert run(7).log == run(7).log
