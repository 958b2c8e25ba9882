"""`gbnt login` and `logout`: who is told a password, which authority is pinned, and which context comes and goes."""

from __future__ import annotations

import io
import json
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.context import Context, contexts
from cli.context_changes import add_context
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager, problem
from transport.identity import ClusterCA

PASSWORD = "qualis artifex pereo"
Pipe = Callable[..., None]


def session(token: str = "gbnt_5e_session", cluster: str = "rome") -> Answer:
    return Answer(
        {
            "id": token.split("_")[1],
            "user": "vera",
            "role": "operator",
            "cluster": cluster,
            "expires_at": time.time() + 43_200,
            "token": token,
        },
        201,
    )


@pytest.fixture
def ca(home: Path) -> ClusterCA:
    return ClusterCA(home / "pki", "rome", time.time)


@pytest.fixture
def secured(ca: ClusterCA) -> Iterator[Manager]:
    """A manager with a certificate of the cluster's authority, which no context knows."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(ca.server_certificate(["localhost"], ["127.0.0.1"]))
    manager = Manager(tls)
    manager.start()
    manager.on("POST /v1/sessions", session())
    yield manager
    manager.stop()


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    """Pipe a text in, or have a person type it, who types this password."""

    def keys(text: str = f"{PASSWORD}\n", *, terminal: bool = False) -> None:
        class Keys(io.StringIO):
            def isatty(self) -> bool:
                return terminal

        monkeypatch.setattr("sys.stdin", Keys(text))
        monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)

    return keys


def login(gbnt: Run, manager: Manager | None, *words: str):
    where = ["--server", manager.url] if manager else []
    return gbnt("login", *where, "-u", "vera", "--password-stdin", *words)


def test_a_fingerprint_pins_the_authority_and_the_session_becomes_the_current_context(
    gbnt: Run, secured: Manager, ca: ClusterCA, home: Path, pipe: Pipe
):
    pipe()
    pairs = [ca.fingerprint.upper()[at : at + 2] for at in range(0, 64, 2)]
    ran = login(gbnt, secured, "--ca-fingerprint", f"sha256:{':'.join(pairs)}")
    assert ran.status == 0, ran.err
    assert ran.out == 'signed in to rome as vera (operator) for 12h\ncommands now go to "vera@rome"\n'
    known, current = contexts(home / "config")
    assert known == [Context("vera@rome", secured.url, ca.certificate.decode(), "gbnt_5e_session")]
    assert current == "vera@rome"
    assert json.loads(secured.asked[0].body) == {"username": "vera", "password": PASSWORD, "ttl": 43_200.0}
    assert PASSWORD not in ran.out + ran.err + (home / "config").read_text()


@pytest.mark.parametrize("option", ["--ca-fingerprint", "--certificate-authority"])
def test_another_authority_is_told_no_password(gbnt: Run, secured: Manager, home: Path, pipe: Pipe, option: str):
    pipe()
    other = ClusterCA(home / "other", "rome", time.time)
    (home / "ca.pem").write_bytes(other.certificate)
    ran = login(gbnt, secured, option, other.fingerprint if "finger" in option else "ca.pem")
    assert (ran.status, secured.asked, contexts(home / "config")[0]) == ({"--ca-fingerprint": 1}.get(option, 3), [], [])


def test_a_file_with_the_authority_will_do(gbnt: Run, secured: Manager, ca: ClusterCA, home: Path, pipe: Pipe):
    pipe()
    (home / "ca.pem").write_bytes(ca.certificate)
    assert login(gbnt, secured, "--certificate-authority", "ca.pem", "--as", "work").status == 0
    assert [one.name for one in contexts(home / "config")[0]] == ["work"]


def test_a_script_says_whom_it_trusts(gbnt: Run, secured: Manager, pipe: Pipe):
    pipe()
    ran = login(gbnt, secured)
    assert (ran.status, secured.asked) == (2, [])
    assert "--ca-fingerprint or --certificate-authority" in ran.err


@pytest.mark.parametrize(("typed", "status"), [("y\n", 0), ("n\n", 2), ("", 2)])
def test_a_person_is_shown_the_fingerprint_and_says_whether_it_is_the_right_one(
    gbnt: Run, secured: Manager, ca: ClusterCA, home: Path, pipe: Pipe, typed: str, status: int
):
    pipe(typed, terminal=True)
    ran = gbnt("login", "--server", secured.url, "-u", "vera")
    assert (ran.status, ca.fingerprint in ran.err) == (status, True)
    assert len(secured.asked) == len(contexts(home / "config")[0]) == (0 if status else 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ca-fingerprint", "abc"], "64 hexadecimal digits"),
        (["--ca-fingerprint", "0" * 64, "--certificate-authority", "x"], "leave out one"),
        (["--server", "http://127.0.0.1"], "is no address of a manager"),
        (["--certificate-authority", "nowhere.pem"], "there is no file nowhere.pem"),
        (["--ttl", "soon"], "is no length of time"),
    ],
)
def test_what_cannot_be_trusted_or_meant_is_bad_input(
    gbnt: Run, secured: Manager, pipe: Pipe, words: list[str], said: str
):
    pipe()
    ran = login(gbnt, secured, *words)
    assert (ran.status, secured.asked) == (2, [])
    assert said in ran.err


def test_where_nothing_is_known_a_server_is_needed(gbnt: Run, pipe: Pipe):
    pipe()
    ran = login(gbnt, None)
    assert (ran.status, "--server https://HOST:4000" in ran.err) == (2, True)


def test_who_is_known_needs_neither_server_nor_authority_again_and_no_other_context_is_touched(
    gbnt: Run, secured: Manager, ca: ClusterCA, home: Path, pipe: Pipe
):
    first = Context("rome", secured.url, ca.certificate.decode(), "gbnt_first_secret")
    add_context(first, home / "config")
    pipe()
    assert login(gbnt, None).status == 0
    pipe()
    assert login(gbnt, secured).status == 0
    known, current = contexts(home / "config")
    assert ([one.name for one in known], current) == (["rome", "vera@rome"], "vera@rome")
    assert known[0] == first


def test_another_cluster_of_the_same_name_gets_a_number(
    gbnt: Run, secured: Manager, ca: ClusterCA, home: Path, pipe: Pipe
):
    other = Context("vera@rome", "https://192.0.2.9:4000", "", "gbnt_other_secret")
    add_context(other, home / "config")
    pipe()
    assert login(gbnt, secured, "--ca-fingerprint", ca.fingerprint).status == 0
    assert [one.name for one in contexts(home / "config")[0]] == ["vera@rome", "vera@rome-2"]


def test_who_is_turned_away_has_no_context(gbnt: Run, manager: Manager, home: Path, pipe: Pipe):
    manager.on("POST /v1/sessions", problem(401, "unauthorized", "no user signs in by this name and password"))
    pipe()
    ran = login(gbnt, None)
    assert (ran.status, "no user signs in" in ran.err) == (4, True)
    assert [one.name for one in contexts(home / "config")[0]] == ["rome"]


def test_a_session_whose_context_cannot_be_written_is_ended(
    gbnt: Run, manager: Manager, home: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
):
    manager.on("POST /v1/sessions", session())
    manager.on("DELETE /v1/sessions/current", Answer({"revision": 9, "changes": {"5e": "closed"}, "detail": {}}))
    pipe()

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cli.home.write_private", full)
    ran = login(gbnt, None)
    assert (ran.status, "No space left" in ran.err) == (1, True)
    assert [(asked.method, asked.headers["Authorization"]) for asked in manager.asked[1:]] == [
        ("DELETE", "Bearer gbnt_5e_session")
    ]


def test_what_counts_before_the_session_is_warned_of(
    gbnt: Run, manager: Manager, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
):
    manager.on("POST /v1/sessions", session())
    monkeypatch.setenv("GBNT_API_TOKEN", "gbnt_ci_secret")
    monkeypatch.setenv("GBNT_CONTEXT", "rome")
    pipe()
    ran = login(gbnt, None)
    assert ran.status == 0
    assert "GBNT_CONTEXT is set" in ran.err
    assert "GBNT_API_TOKEN is set" in ran.err
    assert "gbnt_ci_secret" not in ran.err


def test_signing_out_ends_the_session_and_forgets_its_context(gbnt: Run, manager: Manager, home: Path):
    add_context(Context("vera@rome", manager.url, "", "gbnt_5e_session"), home / "config")
    manager.on("DELETE /v1/sessions/current", Answer({"revision": 9, "changes": {"5e": "closed"}, "detail": {}}))
    ran = gbnt("logout")
    assert (ran.status, ran.out) == (0, 'signed out, and forgot "vera@rome"\n')
    assert ran.err == "no context is current now: `gbnt config use-context NAME` makes one that\n"
    assert manager.asked[0].headers["Authorization"] == "Bearer gbnt_5e_session"
    assert ([one.name for one in contexts(home / "config")[0]], contexts(home / "config")[1]) == (["rome"], "")


def test_a_session_that_ended_before_is_forgotten_all_the_same(gbnt: Run, manager: Manager, home: Path):
    manager.on("DELETE /v1/sessions/current", problem(401, "unauthorized", "a good token is needed"))
    ran = gbnt("logout", "--context", "rome")
    assert (ran.status, ran.err) == (0, "the session had ended before\n")
    assert contexts(home / "config") == ([], "")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (problem(409, "conflict", "first is no user who signed in"), 1),
        (problem(503, "unavailable", "the manager does not answer"), 1),
    ],
)
def test_what_is_no_session_or_not_ended_stays(gbnt: Run, manager: Manager, home: Path, answer: Answer, status: int):
    manager.on("DELETE /v1/sessions/current", answer)
    ran = gbnt("logout")
    assert ran.status == status
    assert [one.name for one in contexts(home / "config")[0]] == ["rome"]


def test_who_is_nowhere_signed_in_is_told_so(gbnt: Run):
    ran = gbnt("logout")
    assert (ran.status, "nobody is signed in" in ran.err) == (2, True)
