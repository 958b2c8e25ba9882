"""Whatever a manager is asked, its answer is one that its own description has, and never that it failed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from portal.api.app import ENDPOINTS
from tests.e2e.hostile import bodies
from tests.e2e.node import Row, node
from tests.e2e.questions import Questions, ask_each, deployment, parts_of, questions, settle, tame
from tests.engine.registry import Registry

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

SHOP, SPARE = f"asked{os.getpid()}", f"spare{os.getpid()}"
NOT_ASKED_WILDLY = {
    "exec.run": "it is a WebSocket, which other tests speak",
    "builds.build": "its body is a tar stream, and what is wrong with one is the engine's to say",
    "system.prune": "the engine is not ours alone",
    "registries.sign_in": "the engine would knock at whichever host is named",
    "joining.join": "after ten tokens that are none all is 429; tests/portal asks it all that is wrong",
    "joining.renew": "the same of proofs",
    "leaving.leave": "the same of proofs",
    "sessions.open": "the same of passwords",
    "sessions.change_password": "the same",
    "knocking.knock": "the same of both",
}
NOT_REACHED = {"exec.run": "it is a WebSocket"}
ENDING = {"nodes.remove": ["node"], "tokens.revoke": ["id"]}
"""The beginning of an id will do here, and the only machine's or our own token's is not to be hit by luck."""

CASES = 12
CASES_OF_SOAK = 1_000


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Questions]:
    """A manager that was asked for everything once."""
    folder = tmp_path_factory.mktemp("questions")
    with node() as one, Registry.serving(folder) as registry:
        one.start()
        with questions(one) as all_of:
            ask_each(all_of, SHOP, SPARE, registry.address, folder)
            yield all_of
            assert one.is_well(), one.log[-2000:]


@pytest.fixture
def parts(asked: Questions) -> dict[str, dict[str, str]]:
    """What is there to be asked about, and is there again for the next."""
    asked.ask("stacks.deploy", deployment(SHOP), name=SHOP)
    asked.ask("stacks.start", name=SHOP)
    [own] = [one for one in asked.ask("nodes.index")["items"] if one["role"] == "manager"]
    asked.ask("nodes.update", {"availability": "active"}, node=own["id"])
    settle(asked, SHOP)
    [task, *_] = asked.ask("tasks.index", query={"stack": SHOP})["items"]
    return {name: dict(one) for name, one in parts_of(SHOP, SPARE, own, task["id"]).items()}


def test_every_operation_does_once_what_it_is_for(asked: Questions) -> None:
    assert asked.reached | set(NOT_REACHED) == {one.name for one in ENDPOINTS} == set(asked.names)
    assert not asked.reached & set(NOT_REACHED)


WILD = sorted(one.name for one in ENDPOINTS if one.name not in NOT_ASKED_WILDLY)


@pytest.mark.parametrize("name", WILD)
def test_no_question_has_an_answer_that_is_not_described(asked: Questions, parts, name: str) -> None:
    ask_wildly(asked, parts, name, CASES)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", WILD)
def test_no_question_of_thousands_has_an_answer_that_is_not_described(asked: Questions, parts, name: str) -> None:
    ask_wildly(asked, parts, name, CASES_OF_SOAK)


BODIES: dict[str, Row] = {
    "cluster.update": {"pause_above": 50},
    "nodes.update": {"labels": {"zone": "a"}},
    "stacks.plan": deployment(SPARE),
    "stacks.deploy": deployment(SPARE),
    "drafts.save": {"spec": deployment(SPARE)["spec"], "refusals": ["none yet"]},
    "services.scale": {"replicas": 1},
    "services.update": {"force": True},
    "tokens.create": {"name": "wild", "role": "viewer"},
    "joining.create": {"uses": 1},
}
EVERY = 47
"""One of so many is asked: a prime, so that it is another value at each place."""


@pytest.mark.parametrize("name", BODIES)
def test_nothing_in_a_body_fells_a_manager(asked: Questions, parts, name: str) -> None:
    ask_with_each(asked, parts, name, EVERY)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", BODIES)
def test_nothing_at_any_place_in_a_body_fells_a_manager(asked: Questions, parts, name: str) -> None:
    ask_with_each(asked, parts, name, 1)


def ask_with_each(asked: Questions, parts, name: str, every: int) -> None:
    there = {**parts.get(name, parts[""]), **({"name": SPARE} if name in ("stacks.plan", "drafts.save") else {})}
    wanted = {one.name: there[one.name] for one in asked.operation(name).path_parameters}
    components = asked.schema.raw_schema["components"]["schemas"]
    for body in islice(bodies(asked.body_of(name), components, BODIES[name]), 0, None, every):
        asked.send_raw(name, body, wanted)


def ask_wildly(asked: Questions, parts, name: str, cases: int) -> None:
    """Ask with what fits the description, and as often with what does not; of what is there, and of what is not."""
    operation, there = asked.operation(name), parts.get(name, parts[""])
    wanted = {one.name: there[one.name] for one in operation.path_parameters}
    fits, does_not = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
    of_what_is_there = [operation.as_strategy(generation_mode=mode, path_parameters=wanted) for mode in GenerationMode]

    @settings(max_examples=cases, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.one_of(fits, does_not, *of_what_is_there))
    def ask(case) -> None:
        for part in ENDING.get(name, ()):
            case.path_parameters[part] = f"~{case.path_parameters.get(part, '')}"
        tame(case)
        asked.send(case)

    ask()
