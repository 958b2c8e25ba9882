"""One started node for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.node import Node, node


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
