"""The examples, on machines of their own: each does what it is for, and loses nothing to a kill or a deploy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from http.client import HTTPException
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from tests.e2e.node import until
from tests.engine.registry import Registry
from tests.examples.deeds import EXAMPLES, Example
from tests.examples.images import EXAMPLES as FOLDER
from tests.examples.images import build, publish
from tests.examples.stack import Refused, Stack
from tests.lab.lab import Lab, lab

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(900)]  # the first of them waits for the images

# What a checkout begins with, and gbnt itself: other tests have them.
OTHERS = {"gbnt-in-docker", "hello"}
# Those that the suite runs each time, of few and light images; `make soak` runs them all.
ALWAYS = {"guestbook", "replica", "sensors", "votes"}


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two machines that are one cluster, and on the first a registry with the images of the examples that are run."""
    folder: Path = tmp_path_factory.mktemp("registry")
    names = run(request.session)
    build(names)
    publish(folder, names)
    with lab(2) as two, ExitStack() as serving:
        two.legion()
        manager = two.machines[0]
        with manager.host.space.network():
            registry = serving.enter_context(Registry.serving(folder, host=manager.address))
        manager.extra["REGISTRY"] = registry.address
        yield two


def run(session: pytest.Session) -> set[str]:
    """The examples that this session runs."""
    params = (item.callspec.params for item in session.items if hasattr(item, "callspec"))
    return {found["example"].name for found in params if "example" in found}


def cases() -> Iterator[ParameterSet]:
    for one in EXAMPLES:
        yield pytest.param(one, marks=() if one.name in ALWAYS else pytest.mark.soak, id=one.name)


def test_each_example_is_put_to_the_test():
    assert {one.name for one in EXAMPLES} > ALWAYS
    assert {file.parent.name for file in FOLDER.glob("*/compose.yaml")} == {one.name for one in EXAMPLES} | OTHERS


@pytest.mark.parametrize("example", list(cases()))
def test_what_comes_in_by_the_web_is_there_after_a_kill_and_after_another_deploy(pair: Lab, example: Example):
    with Stack.running(example.name, pair) as stack:
        brought(stack, example, "prima")
        until(lambda: example.shows(stack), f"what {example.name} shows")
        stack.kill(example.victim)
        kept(stack, example, "prima")
        brought(stack, example, "secunda")
        stack.remove()
        stack.deploy()
        kept(stack, example, "prima", "secunda")
        brought(stack, example, "tertia")


def brought(stack: Stack, example: Example, word: str) -> None:
    """Bring a word in, and find it where it has to be."""
    example.write(stack, word)
    kept(stack, example, word)


def kept(stack: Stack, example: Example, *words: str) -> None:
    """All of the words get to where they have to be; on the way there an answer may be missing."""
    for word in words:
        until(partial(found, stack, example, word), f"{word} in {stack.name}")


def found(stack: Stack, example: Example, word: str) -> bool:
    try:
        return example.holds(stack, word)
    except (OSError, HTTPException, Refused):
        return False
