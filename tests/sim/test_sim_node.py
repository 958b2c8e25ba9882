"""One node, simulated with bad luck of all kinds, by seed. `SIM_SEED=123 pytest tests/sim` runs one seed alone."""

import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sim.simulation import Simulation, simulate

SEEDS, LONG = 200, 5_000
CHOSEN = os.environ.get("SIM_SEED")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The runtime logs each crash with its traceback; here actors crash by the thousand."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def run(seed: int) -> Simulation:
    # In memory where there is such a place: what is simulated is gbnt, and not this machine's disk.
    shared_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None) as directory:
        return simulate(seed, Path(directory))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [int(CHOSEN)] if CHOSEN else range(SEEDS))
def test_a_node_keeps_its_promises(seed: int):
    run(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEEDS, SEEDS + LONG))
def test_a_node_keeps_its_promises_for_long(seed: int):
    run(seed)


@pytest.mark.slow
def test_a_seed_tells_the_same_story_again():
    assert run(7).log == run(7).log
