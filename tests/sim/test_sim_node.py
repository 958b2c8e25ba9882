"""One node, simulated with bad luck of all kinds, by seed. `SIM_SEED=123 pytest tests/sim` runs one seed alone."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.sim.simulation import simulate

SEEDS = range(200)
CHOSEN = os.environ.get("SIM_SEED")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [int(CHOSEN)] if CHOSEN else SEEDS)
def test_a_node_keeps_its_promises(seed: int):
    # In memory where there is such a place: what is simulated is gbnt, and not this machine's disk.
    shared_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None) as directory:
        simulate(seed, Path(directory))
