"""`gbnt config`: contexts are set, renamed, shown and carried to another machine, and no secret is shown on the way."""

import io
import json
import shlex
import time
from pathlib import Path

import pytest
import yaml

from cli.context import Context, contexts
from cli.context_changes import add_context
from cli.context_words import server_of
from cli.errors import BadInput
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager
from transport.identity import ClusterCA

TOKEN = "gbnt_4f9a2c11_a-secret-of-many-characters"
ROME = Context("rome", "https://192.0.2.1:4000", "", TOKEN)
GAUL = Context("gaul", "https://192.0.2.7:4000", "", "gbnt_2_secret")


@pytest.fixture
def file(home: Path) -> Path:
    return home / "config"


@pytest.fixture
def pem(home: Path) -> str:
    """A cluster's authority, in the file `ca.pem` with its key."""
    made = ClusterCA(home / "pki", "c-1", time.time).certificate.decode()
    (home / "ca.pem").write_text(f"-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n{made}")
    return made


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_context_is_set_at_once_and_changed_in_parts(
    gbnt: Run, file: Path, pem: str, monkeypatch: pytest.MonkeyPatch
):
    typed(monkeypatch, f"{TOKEN}\n")
    options = ("--server", "192.0.2.1", "--certificate-authority", "ca.pem", "--token-stdin")
    ran = gbnt("config", "set-context", "rome", *options)
    assert (ran.status, ran.out, ran.err) == (0, f'added "rome" in {file}\n', "")
    assert contexts(file) == ([Context("rome", "https://192.0.2.1:4000", pem, TOKEN)], "rome")
    assert "PRIVATE" not in pem
    assert file.stat().st_mode & 0o777 == 0o600

    ran = gbnt("config", "set-context", "rome", "--server", "https://rome.example:5000")
    assert ran.out == f'changed "rome" in {file}\n'
    assert contexts(file) == ([Context("rome", "https://rome.example:5000", pem, TOKEN)], "rome")
    assert gbnt("config", "set-context", "gaul", "--server", "192.0.2.7").status == 0
    assert contexts(file)[1] == "rome"


def test_a_token_as_an_argument_is_taken_with_a_warning(gbnt: Run, file: Path):
    ran = gbnt("config", "set-context", "rome", "--server", "192.0.2.1", "--token", TOKEN)
    assert (ran.status, ran.err.startswith("warning: a token on the command line is in the list of processes")) == (
        0,
        True,
    )
    assert TOKEN not in ran.err
    assert contexts(file)[0][0].token == TOKEN


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("rome", "say what to set: --server, --certificate-authority or --token-stdin"),
        ("rome --token gbnt_1_x", "a new one needs a name and --server"),
        ("rome --server http://192.0.2.1:4000", '"http://192.0.2.1:4000" is no address of a manager'),
        ("rome --server 192.0.2.1 --token secret", "that is no token: one begins with gbnt_"),
        ("rome --server 192.0.2.1 --certificate-authority none.pem", "there is no file none.pem"),
        ("rome --server 192.0.2.1 --certificate-authority text", "text holds no certificate in PEM form"),
        ("rome --server 192.0.2.1 --certificate-authority bad.pem", "is no certificate"),
        ("rome --server 192.0.2.1 --certificate-authority odd.pem", "is no certificate"),
        ("rome --server 192.0.2.1 --token gbnt_1_x --token-stdin", "two tokens for one context"),
    ],
)
def test_what_makes_no_context_is_refused_before_anything_is_written(
    gbnt: Run, file: Path, home: Path, words: str, said: str
):
    (home / "text").write_text("salve")
    (home / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (home / "odd.pem").write_text("-----BEGIN CERTIFICATE-----\nÄÄÄÄ\n-----END CERTIFICATE-----\n")
    ran = gbnt("config", "set-context", *words.split())
    assert (ran.status, said in ran.err) == (2, True)
    assert "secret" not in ran.err
    assert not file.exists()


@pytest.mark.parametrize(
    ("given", "server"),
    [
        ("rome", "https://rome:4000"),
        ("192.0.2.1:5000", "https://192.0.2.1:5000"),
        ("https://rome.example", "https://rome.example:4000"),
        ("[2001:db8::1]", "https://[2001:db8::1]:4000"),
        ("https://[2001:db8::1]:5000/", "https://[2001:db8::1]:5000"),
    ],
)
def test_a_manager_s_address_in_all_its_forms(given: str, server: str):
    assert server_of(given) == server


@pytest.mark.parametrize(
    "given", ["", "https://", "ftp://rome", "rome:port", "2001:db8::1", "me@rome", "rome/v1", "rome?a"]
)
def test_what_is_no_manager_s_address(given: str):
    with pytest.raises(BadInput, match="is no address of a manager"):
        server_of(given)


def test_a_context_is_renamed_and_stays_the_current_one(gbnt: Run, file: Path):
    add_context(GAUL, file)
    add_context(ROME, file)
    assert gbnt("config", "rename-context", "rome", "prod").out == '"rome" is "prod" now\n'
    known, current = contexts(file)
    assert ({one.name: one.server for one in known}, current) == ({"gaul": GAUL.server, "prod": ROME.server}, "prod")
    taken = gbnt("config", "rename-context", "prod", "gaul")
    assert (taken.status, 'there is a context "gaul" already' in taken.err) == (2, True)


def test_a_new_context_leads_none_elsewhere_that_had_its_name_before(gbnt: Run, file: Path):
    add_context(ROME, file)
    gbnt("config", "rename-context", "rome", "prod")
    other = Context("rome", "https://192.0.2.9:4000", "", "gbnt_9_x")
    add_context(other, file)
    assert contexts(file)[0] == [Context("prod", ROME.server, "", ROME.token), other]
    assert gbnt("config", "delete-context", "prod").status == 0
    assert contexts(file) == ([other], "rome")
    assert [len(json.loads(file.read_text())[section]) for section in ("contexts", "clusters", "users")] == [1, 1, 1]


def test_without_its_current_context_a_file_says_so(gbnt: Run, file: Path):
    for name in ("gaul", "rome"):
        add_context(Context(name, "https://192.0.2.1:4000", "", ""), file)
    ran = gbnt("config", "delete-context", "rome")
    assert (ran.out, "no context is current now: `gbnt config use-context" in ran.err) == ('forgot "rome"\n', True)
    assert gbnt("config", "current-context").status == 1, "commands go to the one that is left, and nobody said so"
    assert gbnt("config", "delete-context", "gaul").err == ""


def test_the_file_is_shown_without_its_secrets_unless_they_are_asked_for(gbnt: Run, file: Path, pem: str):
    add_context(GAUL, file)
    add_context(Context("rome", ROME.server, pem, TOKEN), file)
    shown = yaml.safe_load(gbnt("config", "view").out)
    assert shown["users"] == [{"name": "gaul", "token": "gbnt_2_***"}, {"name": "rome", "token": "gbnt_4f9a2c11_***"}]
    assert shown["clusters"][1]["certificate-authority-data"].endswith("...")
    assert json.loads(gbnt("config", "view", "--raw", "-o", "json").out) == json.loads(file.read_text())
    least = json.loads(gbnt("config", "view", "--minify", "--raw", "-o", "json", "--context", "gaul").out)
    assert (least["current-context"], [one["name"] for one in least["users"]]) == ("gaul", ["gaul"])
    assert gbnt("config", "view", "--minify", "--context", "roma").status == 2


def test_an_exported_context_is_all_that_another_machine_needs(
    gbnt: Run, manager: Manager, home: Path, pem: str, monkeypatch: pytest.MonkeyPatch
):
    manager.on("GET /v1/cluster", Answer({"name": "rome", "api": "192.0.2.1:4000", "authority": pem}))
    manager.on("POST /v1/tokens", Answer({"id": "4f9a2c11", "token": TOKEN}, 201))
    ran = gbnt("config", "export", "--ttl", "2h", "--name", "livia")
    assert ran.status == 0
    assert json.loads(manager.asked[-1].body) == {"name": "livia", "role": "viewer", "ttl": 7_200.0}
    assert "`gbnt token rm 4f9a2c11` takes it back" in ran.err
    assert TOKEN not in ran.err
    elsewhere = json.loads(gbnt("config", "export", "--server", "rome.example").out)
    assert elsewhere["clusters"][0]["server"] == "https://rome.example:4000"
    assert gbnt("config", "export", "--server", "ftp://x").status == 2
    (home / "exported").write_text(ran.out)
    there = Context("rome", "https://192.0.2.1:4000", pem, TOKEN)
    assert contexts(home / "exported") == ([there], "rome")

    monkeypatch.setenv("GBNTCTL_CONFIG", str(home / "elsewhere" / "config"))
    typed(monkeypatch, ran.out)
    assert gbnt("config", "import", "-").out == f"added rome to {home}/elsewhere/config\n"
    assert contexts(home / "elsewhere" / "config") == ([there], "rome")


def test_an_export_into_a_file_is_its_owners_alone_and_told_of_loopback(
    gbnt: Run, manager: Manager, home: Path, pem: str
):
    manager.on("GET /v1/cluster", Answer({"name": "rome", "api": "127.0.0.1:4000", "authority": pem}))
    manager.on("POST /v1/tokens", Answer({"id": "4f9a2c11", "token": TOKEN}, 201))
    manager.on("DELETE /v1/tokens/4f9a2c11", Answer({"revision": 8, "changes": {"4f9a2c11": "revoked"}}))
    ran = gbnt("config", "export", "--to", "rome.config")
    assert (ran.status, ran.out, "warning: https://127.0.0.1:4000 is each machine itself" in ran.err) == (0, "", True)
    assert (home / "rome.config").stat().st_mode & 0o777 == 0o600
    assert contexts(home / "rome.config") == ([Context("rome", "https://127.0.0.1:4000", pem, TOKEN)], "rome")
    assert "warning" not in gbnt("config", "export", "--to", "rome.config", "--server", "192.0.2.1").err
    ran = gbnt("config", "export", "--to", "none/rome.config")
    assert (ran.status, manager.asked[-1].method, TOKEN in ran.err) == (1, "DELETE", False)


def test_an_import_overwrites_nothing_that_it_was_not_told_to(gbnt: Run, home: Path, file: Path):
    add_context(GAUL, file)
    add_context(ROME, home / "exported")
    assert gbnt("config", "import", "exported").status == 0
    assert gbnt("config", "import", "exported").status == 0
    assert contexts(file) == ([GAUL, ROME], "gaul")

    newer = Context("rome", "https://192.0.2.9:4000", "", "gbnt_9_x")
    add_context(newer, home / "exported")
    refused = gbnt("config", "import", "exported")
    assert (refused.status, "rome is known here as another cluster" in refused.err) == (2, True)
    assert gbnt("config", "import", "exported", "--as", "rome-2", "--use").status == 0
    assert contexts(file)[1] == "rome-2"
    assert gbnt("config", "import", "exported", "--replace").status == 0
    assert {one.name: one.server for one in contexts(file)[0]} == {
        "gaul": GAUL.server,
        "rome-2": newer.server,
        "rome": newer.server,
    }


@pytest.mark.parametrize("text", ["", "{}", "- a", "contexts: [{name: rome}]", "a: ["])
def test_what_holds_no_contexts_is_not_imported(gbnt: Run, home: Path, file: Path, text: str):
    (home / "exported").write_text(text)
    ran = gbnt("config", "import", "exported")
    assert (ran.status, "exported" in ran.err) == (2, True)
    assert not file.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"server": "http://192.0.2.1:4000"}, "is no address of a manager"),
        ({"server": "file:///etc/passwd"}, "is no address of a manager"),
        ({"token": "ghp_geheim"}, "is no token"),
        ({"name": "ro me"}, "is no name for a context"),
        ({"name": "rome\n"}, "is no name for a context"),
        ({"name": "--all"}, "is no name for a context"),
        ({"current-context": "gaul"}, 'calls "gaul" the current one and has no such context'),
        ({"twice": True}, 'two contexts "rome"'),
    ],
)
def test_what_set_context_would_refuse_is_not_imported(
    gbnt: Run, home: Path, file: Path, change: dict[str, str], said: str
):
    name = change.get("name", "rome")
    entry = {"name": name, "cluster": "c", "user": "u"}
    document = {
        "current-context": change.get("current-context", name),
        "contexts": [entry, entry] if "twice" in change else [entry],
        "clusters": [{"name": "c", "server": change.get("server", ROME.server)}],
        "users": [{"name": "u", "token": change.get("token", TOKEN)}],
    }
    (home / "exported").write_text(json.dumps(document))
    ran = gbnt("config", "import", "exported", "--use")
    assert (ran.status, said in ran.err, "exported" in ran.err, "geheim" in ran.err) == (2, True, True, False)
    assert not file.exists()


@pytest.mark.parametrize(
    "words", ["set-context 'a b' --server rome", "rename-context rome 'a b'", "rename-context rome ''"]
)
def test_a_name_that_no_command_line_could_say_is_given_to_no_context(gbnt: Run, file: Path, words: str):
    add_context(ROME, file)
    ran = gbnt("config", *shlex.split(words))
    assert (ran.status, "is no name for a context" in ran.err) == (2, True)
    assert contexts(file) == ([ROME], "rome")


def test_of_what_is_not_gbnt_s_own_nothing_is_shown(gbnt: Run, file: Path):
    file.write_text(
        "current-context: rome\nkey: geheim\n"
        "contexts: [{name: rome, cluster: rome, user: rome, note: geheim}]\n"
        "clusters: [{name: rome, server: 'https://me:geheim@192.0.2.1:4000', password: geheim}]\n"
        "users: [{name: rome, token: ghp_geheim_geheim, client-key-data: geheim}]\n"
    )
    for words in ("view", "view --minify", "get-contexts -o wide", "get-contexts -o json"):
        ran = gbnt("config", *words.split())
        assert (ran.status, "geheim" in ran.out, "192.0.2.1:4000" in ran.out) == (0, False, True)
    assert "https://***@192.0.2.1:4000" in gbnt("config", "view").out
    ran = gbnt("config", "set-context", "new", "--server", "https://me:geheim@192.0.2.1")
    assert (ran.status, "geheim" in ran.err) == (2, False)


def test_the_command_of_before_is_answered_with_those_of_now(gbnt: Run):
    ran = gbnt("context", "use", "rome")
    assert (ran.status, "`gbnt config use-context NAME` chooses one" in ran.err) == (2, True)
