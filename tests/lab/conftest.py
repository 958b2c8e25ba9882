"""Machines for each test that asks for them: new ones, for three are up in less than two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.lab.lab import Lab, lab

Stopwatch = Callable[[str], AbstractContextManager[None]]

SERVICE = """
services:
  web:
    image: busybox
    command: [sleep, "1000"]
    init: true
    deploy: {{replicas: {replicas}}}
"""


@pytest.fixture
def three() -> Iterator[Lab]:
    """Three machines with an engine each; gbnt runs on none."""
    with lab(3) as one:
        yield one


@pytest.fixture
def legion(three: Lab) -> Lab:
    """Three machines that are one cluster; the first is its manager."""
    three.legion()
    return three


@pytest.fixture
def service() -> Callable[[int], str]:
    """A compose file of one service, `web`, of so many replicas."""
    return lambda replicas: SERVICE.format(replicas=replicas)


@pytest.fixture
def stopwatch(capsys: pytest.CaptureFixture[str]) -> Stopwatch:
    """Print how long something took. It is for the reader alone: nothing is asserted of it."""

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        with capsys.disabled():
            print(f"\n  {what}: {time.monotonic() - began:.1f} s")  # noqa: T201 - what it is for

    return timed
