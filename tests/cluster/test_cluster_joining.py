"""Join tokens and those who come with one: how often, how long, and who not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.decide import joining, nodes
from cluster.decide.decision import Decided
from cluster.decide.joining import Newcomer
from cluster.membership import is_member, managers
from cluster.model import Departed, JoinToken, State
from tests.cluster.build import NOW, done, entropy, node, refused, state_with


def token(id: str = "t1", **fields: Any) -> JoinToken:
    return replace(JoinToken(id, "worker", NOW, NOW + 3600, 1), **fields)


def with_token(**fields: Any) -> State:
    return done(state_with(), joining.issue(state_with(), token(**fields)))


def test_a_newcomer_gets_a_record_with_the_token_s_role() -> None:
    state = with_token(uses=2)
    decision = joining.admit(state, Newcomer("t1", "gaul", "192.0.2.7", "1.0"), entropy())
    assert isinstance(decision, Decided)
    assert decision.detail == {"node": "id1", "name": "gaul", "role": "worker"}
    assert [happening.kind for happening in decision.happenings] == ["node.joined", "legion.updated"]
    after = done(state, decision)
    assert (after.nodes["id1"].role, after.nodes["id1"].status, after.nodes["id1"].address) == (
        "worker",
        "down",
        "192.0.2.7",
    )
    assert after.join_tokens["t1"].used == 1
    assert is_member(after, "id1")


@pytest.mark.parametrize(
    ("changed", "at", "why"),
    [
        ({"revoked": True}, NOW, "revoked"),
        ({}, NOW + 3600, "expired"),
        ({"used": 1}, NOW, "used up, it was good for 1 machine:"),
        ({"used": 3, "uses": 3}, NOW, "good for 3 machines"),
    ],
)
def test_a_token_that_is_worthless_says_why_and_what_to_do(changed: dict[str, Any], at: float, why: str) -> None:
    state = replace(state_with(), join_tokens={"t1": token(**changed)})
    no = refused(joining.admit(state, Newcomer("t1", "gaul", "192.0.2.7"), entropy(at)))
    assert no.code == "forbidden"
    assert why in no.message
    assert "gbnt legion join-token" in no.message


def test_a_token_that_nobody_knows_is_refused() -> None:
    assert "does not know" in refused(joining.admit(state_with(), Newcomer("t9", "gaul", "a"), entropy())).message


@given(st.integers(1, 5), st.integers(0, 8))
def test_no_more_machines_join_than_a_token_has_uses(uses: int, tries: int) -> None:
    state, chance, joined = with_token(uses=uses), entropy(), 0
    for number in range(tries):
        decision = joining.admit(state, Newcomer("t1", f"m{number}", "a"), chance)
        if isinstance(decision, Decided):
            state, joined = done(state, decision), joined + 1
    assert joined == min(uses, tries)
    assert len(state.nodes) == 1 + joined


def test_a_removed_node_s_id_is_refused_and_another_s_too() -> None:
    state = replace(with_token(), departed={"n9": Departed("n9", "old", NOW)})
    assert "was removed" in refused(joining.admit(state, Newcomer("t1", "g", "a", node="n9"), entropy())).message
    assert refused(joining.admit(state, Newcomer("t1", "g", "a", node="n1"), entropy())).code == "conflict"
    assert "was removed" in refused(nodes.report_node(state, node(id="n9"))).message
    assert refused(joining.certify(state, "n9", "ff", NOW)).code == "forbidden"


def test_removed_nodes_are_forgotten_when_no_certificate_of_theirs_is_good() -> None:
    old = {"n8": Departed("n8", "x", NOW - 91 * 86_400), "n9": Departed("n9", "y", NOW)}
    state = replace(with_token(), departed=old)
    assert set(done(state, joining.admit(state, Newcomer("t1", "g", "a"), entropy())).departed) == {"n9"}


def test_machines_that_are_called_alike_are_told_apart() -> None:
    state, chance = with_token(uses=3), entropy()
    for _ in range(3):
        state = done(state, joining.admit(state, Newcomer("t1", "rome", "a"), chance))
    assert sorted(one.name for one in state.nodes.values()) == ["rome", "rome-2", "rome-3", "rome-4"]


def test_rotation_makes_the_others_of_its_role_worthless() -> None:
    state = with_token()
    state = done(state, joining.issue(state, token("t2", role="manager")))
    decision = joining.rotate(state, token("t3"))
    assert isinstance(decision, Decided)
    assert decision.told == {"t1": "revoked", "t3": "issued"}
    after = done(state, decision)
    assert {id: one.revoked for id, one in after.join_tokens.items()} == {"t1": True, "t2": False, "t3": False}


def test_a_token_is_revoked_once_and_for_all() -> None:
    state = with_token()
    state = done(state, joining.revoke(state, "t1"))
    again = joining.revoke(state, "t1")
    assert isinstance(again, Decided)
    assert not again.changes
    assert refused(joining.revoke(state, "t2")).code == "not_found"


@pytest.mark.parametrize(
    "wrong",
    [
        {"uses": 0},
        {"uses": 1_001},
        {"expires_at": NOW},
        {"expires_at": NOW + 31 * 86_400},
        {"expires_at": float("nan")},
    ],
)
def test_a_token_has_bounds(wrong: dict[str, Any]) -> None:
    assert refused(joining.issue(state_with(), token(**wrong))).code == "invalid"


def test_tokens_do_not_pile_up() -> None:
    old = {f"o{n}": token(f"o{n}", expires_at=NOW - 8 * 86_400) for n in range(1_000)}
    state = replace(state_with(), join_tokens=old)
    assert set(done(state, joining.issue(state, token())).join_tokens) == {"t1"}
    state = replace(state_with(), join_tokens={id: token(id) for id in old})
    assert refused(joining.issue(state, token())).code == "conflict"
    assert refused(joining.issue(with_token(), token())).code == "conflict"


def test_a_node_s_certificate_and_role_outlive_its_reports() -> None:
    state = with_token()
    state = done(state, joining.admit(state, Newcomer("t1", "gaul", "a", "1.0"), entropy()))
    state = done(state, joining.certify(state, "id1", "ff", NOW + 99))
    state = done(state, nodes.report_node(state, node(id="id1", name="gaul")))
    assert (state.nodes["id1"].certificate, state.nodes["id1"].certificate_expires) == ("ff", NOW + 99)
    assert (state.nodes["id1"].role, state.nodes["id1"].version, state.nodes["id1"].status) == (
        "worker",
        "1.0",
        "ready",
    )
    assert [one.id for one in managers(state, "n1")] == ["n1"]


def test_who_is_a_member() -> None:
    state = state_with(node())
    assert is_member(state, "n1")
    assert not is_member(state, "n2")
    assert not is_member(replace(state, departed={"n1": Departed("n1", "x", NOW)}), "n1")
