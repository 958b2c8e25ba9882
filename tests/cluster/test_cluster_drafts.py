"""Drafts: kept beside what is deployed, within bounds, and without touching anything."""

from __future__ import annotations

from dataclasses import replace

from cluster.configs import ConfigSpec, encoded
from cluster.decide import drafts
from cluster.decide.decision import Decided, Decision, Refusal
from cluster.model import State
from cluster.sources import Origin
from tests.cluster.build import NOW, entropy, spec, stack, state_with

NERO = Origin("nero", "sealed")
SHOP = stack(spec("web"))


def done(state: State, decision: Decision) -> State:
    assert isinstance(decision, Decided), decision
    return state.after(decision.changes)


def test_a_draft_is_one_row_and_nothing_else_though_the_stack_be_nowhere():
    decision = drafts.save(state_with(), SHOP, NERO, entropy())
    assert isinstance(decision, Decided)
    assert [(change.table, change.key) for change in decision.changes] == [("stack_drafts", "shop")]
    kept = state_with().after(decision.changes).stack_drafts["shop"]
    assert (kept.at, kept.by, kept.spec, kept.sources) == (NOW, "nero", SHOP, "sealed")
    assert "sealed" not in repr(kept)


def test_the_next_takes_its_place_and_the_same_writes_nothing():
    state = done(state_with(), drafts.save(state_with(), SHOP, NERO, entropy()))
    again = drafts.save(state, SHOP, Origin("agrippina", "sealed"), entropy(NOW + 9))
    assert isinstance(again, Decided)
    assert (again.changes, again.told) == ((), {"shop": "unchanged"})
    state = done(state, drafts.save(state, stack(spec("web", replicas=2)), NERO, entropy(NOW + 9)))
    assert state.stack_drafts["shop"].spec.services["web"].replicas == 2


def test_what_is_wrong_too_large_or_one_too_many_is_refused():
    wrong = drafts.save(state_with(), replace(SHOP, services={}), NERO, entropy())
    assert isinstance(wrong, Refusal)
    content = encoded(b"x" * 400_000)
    configs = {key: ConfigSpec(f"shop_{key}", content=content) for key in ("a", "b")}
    large = drafts.save(state_with(), replace(SHOP, configs=configs), NERO, entropy())
    assert isinstance(large, Refusal)
    assert "larger than 1 MiB" in large.message
    state = state_with()
    for number in range(drafts.MOST):
        state = done(state, drafts.save(state, replace(SHOP, name=f"shop{number}"), NERO, entropy()))
    many = drafts.save(state, SHOP, NERO, entropy())
    assert isinstance(many, Refusal)
    assert "there are 100 drafts already" in many.message
    assert isinstance(drafts.save(state, replace(SHOP, name="shop7"), Origin("nero"), entropy()), Decided)


def test_a_draft_is_dropped_once():
    state = done(state_with(), drafts.save(state_with(), SHOP, NERO, entropy()))
    assert done(state, drafts.drop(state, "shop")).stack_drafts == {}
    refused = drafts.drop(state_with(), "shop")
    assert isinstance(refused, Refusal)
    assert refused.message == "stack shop has no draft"


def test_a_colleague_s_draft_is_replaced_by_who_has_seen_it_alone():
    other, livia = stack(spec("web", replicas=2)), Origin("livia")
    state = done(state_with(), drafts.save(state_with(), SHOP, NERO, entropy()))
    refused = drafts.save(state, other, livia, entropy(NOW + 9))
    assert isinstance(refused, Refusal)
    assert refused.message.startswith("there is a draft of shop by nero, another than yours: look at it with ")
    assert isinstance(drafts.save(state, other, livia, entropy(NOW + 9), replaces=NOW - 1), Refusal)
    state = done(state, drafts.save(state, other, livia, entropy(NOW + 9), replaces=NOW))
    assert (state.stack_drafts["shop"].by, state.stack_drafts["shop"].spec) == ("livia", other)
    assert isinstance(drafts.save(state, SHOP, NERO, entropy(NOW + 10), replaces=NOW), Refusal)


def test_what_cannot_be_deployed_is_kept_with_the_reasons():
    state = done(
        state_with(), drafts.save(state_with(), replace(SHOP, services={}), NERO, entropy(), ("has no service",))
    )
    assert state.stack_drafts["shop"].refusals == ("has no service",)
