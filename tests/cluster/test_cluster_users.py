"""Users and their sessions: who may be one, what ends a session, and that what was changed meanwhile counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.decide import users
from cluster.decide.decision import Decided
from cluster.decide.users import MOST_SESSIONS, NO_ADMIN, Wanted
from cluster.model import State, Token
from cluster.users import ROLES, User, name_objection, password_objection, role_of
from tests.cluster.build import NOW, done, refused

DAY = 86_400.0


def user(name: str = "vera", role: Any = "operator", hash: str = "h1", **fields: Any) -> User:
    return User(name, role, hash, NOW, NOW, **fields)


def session(id: str = "s1", name: str = "vera", **fields: Any) -> Token:
    return replace(Token(id, "session", "viewer", f"hash of {id}", NOW, NOW + DAY, user=name), **fields)


def of(*who: User, sessions: tuple[Token, ...] = ()) -> State:
    """A state with these users, who signed in."""
    state = State(users={one.name: one for one in who})
    for one in sessions:
        state = done(state, users.open_session(state, one, state.users[one.user].hash, NOW))
    return state


def test_a_user_is_taken_in_once():
    state = done(State(), users.create(State(), user()))
    assert state.users == {"vera": user()}
    assert "already" in refused(users.create(state, user())).message


@pytest.mark.parametrize("name", ["", "Vera", "-vera", "vera nero", "v" * 64, "root", "vera/x", "../x", "vera\n"])
def test_what_is_no_name_is_refused_in_words(name: str):
    assert name_objection(name)
    assert refused(users.create(State(), user(name))).code == "invalid"


@pytest.mark.parametrize("name", ["v", "vera", "vera.nero@example.org", "v" * 63, "2b"])
def test_what_is_a_name_is_taken(name: str):
    assert name_objection(name) == ""


def test_a_password_that_is_none_is_refused_without_being_said():
    assert "11 characters" in password_objection("vera", "short-secre")
    assert password_objection("vera", "long-secrets") == ""
    assert "1001 characters" in password_objection("vera", "x" * 1001)
    told = password_objection("vera-veronica", "Vera-Veronica")
    assert "is the user's name" in told
    assert "Veronica" not in told


@pytest.mark.parametrize("held", ROLES)
@pytest.mark.parametrize("may", ROLES)
def test_a_session_may_what_both_it_and_its_user_may(held: Any, may: Any):
    role = role_of(session(role=held), {"vera": user(role=may)})
    assert role == ROLES[min(ROLES.index(held), ROLES.index(may))]


def test_a_token_without_a_user_keeps_its_role_and_one_whose_user_is_gone_or_disabled_has_none():
    assert role_of(session(user="", role="admin"), {}) == "admin"
    assert role_of(session(), {}) is None
    assert role_of(session(), {"vera": user(disabled=True)}) is None


def test_a_session_has_its_user_s_role():
    assert of(user(role="admin"), sessions=(session(),)).tokens["s1"].role == "admin"


@pytest.mark.parametrize(
    "now",
    [user(hash="h2"), user(disabled=True), None],
    ids=["another password", "disabled", "removed"],
)
def test_nobody_signs_in_by_what_is_good_no_more(now: User | None):
    state = State(users={} if now is None else {"vera": now})
    assert refused(users.open_session(state, session(), "h1", NOW)).code == "forbidden"
    assert refused(users.change_password(state, "vera", "h3", "h1", "", NOW)).code == "forbidden"


@pytest.mark.parametrize("wanted", [Wanted(hash="h2"), Wanted(disabled=True)], ids=["another password", "disabled"])
def test_sessions_end_with_a_password_and_with_being_disabled_and_others_stay(wanted: Wanted):
    state = of(user(), user("nero"), sessions=(session("s1"), session("s2"), session("s3", "nero")))
    after = done(state, users.update(state, "vera", wanted, NOW + 5))
    assert set(after.tokens) == {"s3"}
    assert after.users["vera"].changed_at == (NOW + 5 if wanted.hash else NOW)


def test_sessions_end_with_their_user():
    state = of(user(), sessions=(session("s1"),))
    after = done(state, users.remove(state, "vera"))
    assert (after.users, after.tokens) == ({}, {})


def test_another_role_ends_no_session():
    state = of(user(), sessions=(session("s1"),))
    decision = users.update(state, "vera", Wanted(role="viewer"), NOW)
    after = done(state, decision)
    assert role_of(after.tokens["s1"], after.users) == "viewer"
    assert decision.told == {"vera": "role viewer"}  # type: ignore[union-attr]


def test_who_changes_the_own_password_stays_signed_in_there_alone():
    state = of(user(), sessions=(session("s1"), session("s2")))
    after = done(state, users.change_password(state, "vera", "h2", "h1", "s2", NOW))
    assert (set(after.tokens), after.users["vera"].hash) == ({"s2"}, "h2")


def test_what_is_so_already_changes_nothing():
    state = of(user())
    decision = users.update(state, "vera", Wanted("operator", False), NOW)
    assert decision == Decided(told={"vera": "unchanged"})


def test_who_is_not_there_is_not_found():
    for decision in (users.update(of(user()), "vero", Wanted(), NOW), users.remove(of(user()), "vero")):
        assert (refused(decision).code, refused(decision).message[-18:]) == ("not_found", " did you mean vera?"[-18:])


def test_the_last_admin_may_go_and_that_is_said():
    state = of(user(role="admin"), user("nero", "admin", disabled=True))
    for decision in (
        users.remove(state, "vera"),
        users.update(state, "vera", Wanted(role="viewer"), NOW),
        users.update(state, "vera", Wanted(disabled=True), NOW),
    ):
        assert isinstance(decision, Decided)
        assert decision.detail == {"note": NO_ADMIN}
    two = of(user(role="admin"), user("nero", "admin"))
    assert users.remove(two, "vera").detail == {}  # type: ignore[union-attr]


def test_sessions_that_ended_by_themselves_are_forgotten_with_the_next():
    state = of(user(), user("nero"), sessions=(session("s1", expires_at=NOW + 9), session("s2")))
    state = replace(state, tokens={**state.tokens, "ci": session("ci", user="", expires_at=NOW + 1)})
    after = done(state, users.open_session(state, session("s3", "nero"), "h1", NOW + 9))
    assert set(after.tokens) == {"s2", "s3", "ci"}


def test_of_too_many_sessions_the_oldest_ends():
    many = tuple(session(f"s{number}", created_at=NOW + number) for number in range(MOST_SESSIONS + 1))
    state = of(user(), user("nero"), sessions=(session("other", "nero"), *many))
    assert "s0" not in state.tokens
    assert len(state.tokens) == MOST_SESSIONS + 1


def test_a_session_is_closed_once():
    state = of(user(), sessions=(session("s1"),))
    assert done(state, users.close_session(state, "s1")).tokens == {}
    assert refused(users.close_session(State(), "s1")).code == "not_found"
    state = replace(state, tokens={"ci": session("ci", user="")})
    assert refused(users.close_session(state, "ci")).code == "not_found"


def test_no_representation_has_a_hash():
    assert "h1" not in repr(user())
