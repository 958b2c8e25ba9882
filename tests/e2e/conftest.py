"""One started node for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.node import Node, node
from tests.lab.engine import OwnEngine, own_engine


@pytest.fixture
def fresh() -> Iterator[Node]:
    """A node that is not started."""
    with node() as one:
        yield one


@pytest.fixture
def running(fresh: Node) -> Node:
    """A node that is well."""
    fresh.start()
    return fresh


@pytest.fixture
def engine() -> Iterator[OwnEngine]:
    """An engine of this test's own."""
    with own_engine() as one:
        yield one


@pytest.fixture
def alone(engine: OwnEngine) -> Iterator[Node]:
    """A node that is well, on an engine that nobody shares."""
    with engine.space.network(), node(engine=engine.url) as one:
        one.start()
        yield one
