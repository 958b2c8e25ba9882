"""What every simulation by seed needs: its seeds, a place of its own, and silence."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SEEDS = "GBNT_SEEDS"


def seeds(usual: range) -> range:
    """The usual seeds, or those that `GBNT_SEEDS` names: `7` is that one, `100:200` the hundred from 100 on."""
    first, colon, end = os.environ.get(SEEDS, "").partition(":")
    return (range(int(first), int(end)) if colon else range(int(first), int(first) + 1)) if first else usual


def again(seed: int, test: str) -> str:
    """The line that runs a seed again, as it ran here."""
    hashes = os.environ.get("PYTHONHASHSEED", "random")
    return f"PYTHONHASHSEED={hashes} {SEEDS}={seed} .venv/bin/pytest -m soak tests/sim/{test}"


@contextmanager
def silence() -> Iterator[None]:
    """No log within the context: what is wanted to go wrong does so by the thousand."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@contextmanager
def place() -> Iterator[Path]:
    """A folder in memory, where there is such a place: what is simulated is gbnt, and not this machine's disk."""
    shared_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None) as directory:
        yield Path(directory)
