"""`gbnt user`: passwords come from a person or a pipe, are made where that is wanted, and are shown once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest

from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager, listing, problem

PASSWORD = "qualis artifex pereo"
VERA = {"name": "vera", "role": "operator", "disabled": False, "created_at": 1.0, "changed_at": 1.0, "sessions": 2}
Type = Callable[..., None]


def done(change: str, **detail: str) -> Answer:
    return Answer({"revision": 8, "changes": {"vera": change}, "detail": detail})


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Type:
    """What is piped in; or, at a terminal, what is typed for each question about a password."""

    def type(text: str = "", *typed: str, terminal: bool = False) -> None:
        class Keys(io.StringIO):
            def isatty(self) -> bool:
                return terminal

        answers = list(typed)
        monkeypatch.setattr("sys.stdin", Keys(text))
        monkeypatch.setattr("getpass.getpass", lambda prompt: answers.pop(0))

    return type


def test_a_user_is_taken_in_by_a_password_that_is_piped(gbnt: Run, manager: Manager, keys: Type):
    manager.on("POST /v1/users", done("created"))
    keys(f"{PASSWORD}\n")
    ran = gbnt("user", "create", "vera", "--role", "operator", "--password-stdin")
    assert (ran.status, ran.out, ran.err) == (0, "", "vera may sign in now, as an operator\n")
    assert json.loads(manager.asked[0].body) == {"name": "vera", "role": "operator", "password": PASSWORD}


def test_a_person_types_a_new_password_twice(gbnt: Run, manager: Manager, keys: Type):
    manager.on("POST /v1/users", done("created"))
    keys("", PASSWORD, PASSWORD, terminal=True)
    assert gbnt("user", "create", "vera", "--role", "viewer").status == 0
    assert json.loads(manager.asked[0].body)["password"] == PASSWORD


def test_a_password_is_made_and_printed_once_it_counts(gbnt: Run, manager: Manager, keys: Type):
    manager.on("POST /v1/users", done("created"), problem(409, "conflict", "there is a user vera already"))
    keys()
    ran = gbnt("user", "create", "vera", "--generate")
    made = json.loads(manager.asked[0].body)["password"]
    assert (ran.status, ran.out, len(made)) == (0, f"{made}\n", 20)
    assert "not shown again" in ran.err
    assert made not in ran.err
    again = gbnt("user", "create", "vera", "--generate")
    assert (again.status, again.out) == (1, "")
    assert json.loads(manager.asked[1].body)["password"] not in (made, again.err)


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["create", "vera"], [], "by --password-stdin, or --generate one"),
        (["create", "vera", "--generate", "--password-stdin"], [], "leave out one"),
        (["create", "vera"], [PASSWORD, "another one"], "not the same: nothing was changed"),
        (["create", "vera"], [""], "the password is empty"),
        (["create", "vera", "--password-stdin"], [], "the password is empty"),
        (["create", "vera", "--role", "emperor"], [], "must be admin, operator or viewer"),
        (["update", "vera"], [], "say what to change"),
        (["update", "vera", "--enable", "--disable"], [], "choose one"),
        (["passwd"], [], "pipe two lines in"),
        (["passwd", "--password-stdin"], [], "reads two lines"),
    ],
)
def test_what_lacks_is_bad_input(
    gbnt: Run, manager: Manager, keys: Type, words: list[str], typed: list[str], said: str
):
    keys("", *typed, terminal=bool(typed))
    ran = gbnt("user", *words)
    assert (ran.status, manager.asked) == (2, [])
    assert said in ran.err


def test_users_are_a_list_like_others(gbnt: Run, manager: Manager):
    rows = [VERA, {**VERA, "name": "nero", "role": "admin", "disabled": True}]
    manager.on("GET /v1/users", listing(*rows))
    table = [line.split() for line in gbnt("user", "ls").out.splitlines()]
    assert [line[:4] for line in table[1:]] == [
        ["vera", "operator", "enabled", "2"],
        ["nero", "admin", "disabled", "2"],
    ]
    assert gbnt("user", "ls", "-q", "--filter", "state=disabled").out == "nero\n"
    assert json.loads(gbnt("user", "ls", "-o", "json").out) == rows
    manager.on("GET /v1/users/vera", Answer(VERA))
    assert json.loads(gbnt("user", "inspect", "vera", "-o", "json").out) == VERA


def test_a_change_says_what_it_did_and_that_no_admin_is_left(gbnt: Run, manager: Manager):
    manager.on("PATCH /v1/users/vera", done("disabled", note="no user who can sign in is an admin now"))
    ran = gbnt("user", "update", "vera", "--disable")
    assert (ran.status, ran.out) == (0, "vera: disabled\n")
    assert ran.err == "note: no user who can sign in is an admin now\n"
    assert json.loads(manager.asked[0].body) == {"role": None, "disabled": True}
    manager.on("DELETE /v1/users/vera", done("removed"))
    assert gbnt("user", "rm", "vera").out == "vera: removed\n"


def test_a_password_is_set_anew_and_shown_only_where_it_was_made(gbnt: Run, manager: Manager, keys: Type):
    manager.on("PATCH /v1/users/vera", done("another password"))
    keys(f"{PASSWORD}\n")
    made, given = gbnt("user", "reset-password", "vera"), gbnt("user", "reset-password", "vera", "--password-stdin")
    first, second = (json.loads(asked.body) for asked in manager.asked)
    assert (made.status, made.out, set(first)) == (0, f"{first['password']}\n", {"password"})
    assert (given.status, given.out, second) == (0, "", {"password": PASSWORD})
    assert "signed in nowhere" in given.err


def test_the_own_password_is_changed_with_the_present_one(gbnt: Run, manager: Manager, keys: Type):
    manager.on("POST /v1/me/password", done("another password"))
    keys("old password\nnew password\n")
    assert gbnt("user", "passwd", "--password-stdin").status == 0
    keys("", "old password", "new password", "new password", terminal=True)
    assert gbnt("user", "passwd").status == 0
    assert [json.loads(asked.body) for asked in manager.asked] == [
        {"current": "old password", "new": "new password"}
    ] * 2


def test_no_option_takes_a_password(gbnt: Run):
    for words in (["user", word] for word in ("create", "reset-password", "passwd")):
        assert "--password-stdin" in (told := gbnt(*words, "--help").out)
        assert "--password " not in told
    assert "--password " not in gbnt("login", "--help").out
