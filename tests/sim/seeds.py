"""What every simulation by seed needs: a place of its own, and silence."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
