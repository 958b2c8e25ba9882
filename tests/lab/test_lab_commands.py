"""Every command succeeds once, with its effect, and refuses once, in its words: from a machine that has a file alone.

A step finds what those before it left, so that none can be run by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.engine.registry import Registry
from tests.lab.lab import lab
from tests.lab.tables import STEPS
from tests.lab.walk import Scene, Step
from tests.lab.walk_stacks import FILES

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Four machines, and a registry on the first; nothing runs on any of them but its engine."""
    with lab(4) as four, ExitStack() as stack:
        rome, second, third, away = four.machines
        one = Scene(rome, second, third, away)
        for name, text in FILES.items():
            one.write(name, text)
        one.write("passphrase", "correct horse battery")
        with one.rome.host.space.network():
            folder = tmp_path_factory.mktemp("registry")
            there = Registry.serving(folder, private=True, host=one.rome.address, engine=one.rome.engine)
            one.notes["registry"] = stack.enter_context(there).address
        one.notes |= {"manager": f"{one.rome.address}:4000", "folder": str(one.away.folder)}
        yield one


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_each_has_its_effect_or_refuses_in_its_words(scene: Scene, step: Step):
    step.walk(scene)
