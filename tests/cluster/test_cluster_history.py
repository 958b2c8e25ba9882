"""What a stack said at its last deploys: kept once for each thing said, within bounds, and had again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.decide import history
from cluster.decide.decision import Decided, Refusal
from cluster.decide.deploy import deploy, remove_stack
from cluster.decide.rollback import roll_back
from cluster.decide.services import remove
from cluster.model import State
from cluster.sources import LARGEST, Origin, SourceFile, Sources, objection
from cluster.spec import StackSpec
from tests.cluster.build import NOW, entropy, spec, stack, state_with

NERO = Origin("nero", "sealed")


def web(replicas: int) -> StackSpec:
    return stack(spec("web", replicas=replicas))


def deployed(state: State, wanted: StackSpec, origin: Origin = NERO, now: float = NOW, *, prune: bool = False) -> State:
    decision = deploy(state, wanted, entropy(now), origin=origin, prune=prune)
    assert isinstance(decision, Decided), decision
    return state.after(decision.changes)


def numbers(state: State) -> list[int]:
    return [one.number for one in history.history_of(state, "shop")]


def test_a_revision_says_what_when_by_whom_and_what_changed():
    state = deployed(deployed(state_with(), stack(spec("web"), spec("db"))), stack(spec("web", replicas=2), spec("db")))
    first, second = history.history_of(state, "shop")
    assert (first.number, first.at, first.by, first.sources) == (1, NOW, "nero", "sealed")
    assert first.changes == {"web": "created", "db": "created"}
    assert second.changes == {"web": "scaled from 1 to 2"}
    assert second.spec == state.stacks["shop"].spec
    assert "sealed" not in repr(second)


@pytest.mark.parametrize("origin", [NERO, Origin("agrippina", "sealed"), Origin()])
def test_what_says_the_same_is_no_revision_whoever_sends_it(origin: Origin):
    state = deployed(state_with(), web(1))
    again = deploy(state, web(1), entropy(NOW + 60), origin=origin)
    assert isinstance(again, Decided)
    assert again.changes == ()


def test_the_same_from_another_text_is_a_revision_and_touches_nothing_else():
    state = deployed(state_with(), web(1))
    again = deploy(state, web(1), entropy(NOW + 60), origin=Origin("nero", "with a comment"))
    assert isinstance(again, Decided)
    assert [(change.table, change.key) for change in again.changes] == [("stack_revisions", "shop@2")]
    assert again.happenings == ()


def test_the_oldest_go_by_number_and_by_size():
    state = state_with()
    for replicas in range(1, history.KEPT + 4):
        state = deployed(state, web(replicas))
    assert numbers(state) == list(range(4, history.KEPT + 4))
    large = Origin("nero", "x" * (history.MOST_BYTES // 3))
    for replicas in range(1, 5):
        state = deployed(state, web(replicas), large)
    assert numbers(state) == [history.KEPT + 6, history.KEPT + 7]
    state = deployed(state, web(9), Origin("nero", "x" * history.MOST_BYTES))
    assert numbers(state) == [history.KEPT + 8]


def test_a_stack_that_is_gone_leaves_none():
    state = deployed(state_with(), web(1))
    removed = remove_stack(state, "shop", (), entropy())
    assert isinstance(removed, Decided)
    assert state.after(removed.changes).stack_revisions == {}


def test_the_way_back_leads_to_the_last_that_said_another_thing():
    state = deployed(deployed(state_with(), web(1)), stack(spec("web"), spec("db")))
    state = deployed(state, stack(spec("web"), spec("db")), Origin("nero", "another text"))
    assert numbers(state) == [1, 2, 3]
    found = history.find(state, "shop", None)
    assert not isinstance(found, Refusal)
    assert found.number == 1
    back = deployed(state, found.spec, Origin("nero", found.sources), prune=True)
    assert back.stacks["shop"].spec == web(1)
    assert back.stack_revisions["shop@4"].changes == {"db": "removed"}


def back(state: State, number: int | None = None, newest: int | None = None) -> State:
    decision = roll_back(state, "shop", number, newest, "nero", entropy(NOW))
    assert isinstance(decision, Decided), decision
    return state.after(decision.changes)


def replicas(state: State) -> int:
    return state.stacks["shop"].spec.services["web"].replicas


def test_a_second_way_back_leads_further_back_and_never_to_what_was_gone_back_from():
    state = deployed(deployed(deployed(state_with(), web(1)), web(2)), web(3))
    state = back(state)
    assert (replicas(state), state.stack_revisions["shop@4"].of) == (2, 2)
    state = back(deployed(state, web(4)))
    assert (replicas(state), state.stack_revisions["shop@6"].of) == (2, 4)
    state = back(state)
    assert (replicas(state), state.stack_revisions["shop@7"].of) == (1, 1)
    assert isinstance(roll_back(state, "shop", None, None, "nero", entropy(NOW)), Refusal)
    assert replicas(back(state, 3)) == 3


def test_a_service_that_was_removed_by_hand_is_back_with_the_newest_revision():
    state = deployed(deployed(state_with(), web(1)), stack(spec("web"), spec("db")))
    removed = remove(state, "shop/db", entropy(NOW))
    assert isinstance(removed, Decided)
    state = back(state.after(removed.changes))
    assert set(state.stacks["shop"].spec.services) == {"web", "db"}


def test_who_goes_back_says_from_where_and_is_told_who_was_there_before():
    state = deployed(deployed(deployed(state_with(), web(1)), web(2)), web(3))
    decided = roll_back(state, "shop", None, 3, "nero", entropy(NOW))
    assert isinstance(decided, Decided)
    assert decided.detail == {"to": "2"}
    refused = roll_back(state.after(decided.changes), "shop", None, 3, "agrippina", entropy(NOW))
    assert refused == Refusal(
        "conflict",
        "stack shop is no longer at revision 3: nero went back to 2 meanwhile, as 4; see `gbnt stack history shop`, "
        "and say which revision you want",
    )


def test_a_revision_that_is_not_there_is_told_with_those_that_are():
    state = deployed(deployed(state_with(), web(1)), web(2))
    refused = history.find(state, "shop", 7)
    assert isinstance(refused, Refusal)
    assert refused.message == "stack shop has no revision 7: 1 to 2 are kept; see `gbnt stack history shop`"
    alone = history.find(deployed(state_with(), web(1)), "shop", None)
    assert isinstance(alone, Refusal)
    assert alone.message == "stack shop has no revision before the present one"


FILE = SourceFile("compose.yaml", "services: {}\n")


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (Sources((FILE, SourceFile("../base.yaml", ""))), ""),
        (Sources((FILE, FILE)), "two compose files have one name"),
        (Sources((replace(FILE, name="/etc/passwd"),)), "a compose file cannot be called '/etc/passwd'"),
        (Sources((replace(FILE, name="a\nb"),)), "a compose file cannot be called"),
        (Sources((replace(FILE, text="x" * LARGEST),)), "the compose files are larger than 256 KiB in all"),
        (Sources((FILE,), roots=("compose.yaml",)), ""),
        (Sources((FILE,), roots=("lost.yaml",)), "'lost.yaml' is laid over the others, and none of the compose files"),
        (Sources((FILE,), {"TAG": "x" * LARGEST}), "the compose files are larger than 256 KiB in all"),
        (Sources(tuple(SourceFile(f"{n}.yaml", "") for n in range(201))), "there are more than 200 compose files"),
    ],
)
def test_sources_are_bounded_and_named_from_where_the_first_is(sources: Sources, why: str):
    assert objection(sources).startswith(why)
    assert bool(objection(sources)) == bool(why)
