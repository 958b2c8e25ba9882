"""A command line that cannot be understood is answered in one sentence, with what to type instead."""

import re
from itertools import takewhile

import pytest

from cli.foreign import HINTS
from tests.cli.conftest import Run

TIME = "a number of seconds from 0, or a time as 90s, 10m or 2h"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("stack deplyo", 'gbnt stack has no command "deplyo" (did you mean "deploy"?); see `gbnt stack --help`'),
        ("stack ls --no-trnc", 'gbnt stack ls has no option --no-trnc (did you mean "--no-trunc"?)'),
        ("stack --nonsense ls", "gbnt stack has no option --nonsense; see `gbnt stack --help`"),
        ("stack ps", "gbnt stack ps lacks STACK; see `gbnt stack ps --help`"),
        ("service scale", "gbnt service scale lacks SERVICE=REPLICAS...; see"),
        ("stack ls a b", "gbnt stack ls: got unexpected extra arguments (a b); see `gbnt stack ls --help`"),
        ("logs web --tail x", '--tail must be a whole number from 0, not "x"; see `gbnt logs --help`'),
        ("logs web -n -1", '--tail must be a whole number from 0, not "-1"'),
        ("logs web --tail", "option '--tail' requires an argument"),
        ("events -n 0", '--limit must be a whole number from 1, not "0"'),
        ("events --after 1.5", '--after must be a whole number from 0, not "1.5"'),
        (f"events --after {2**63}", f'--after must be a whole number from 0, not "{2**63}"'),
        ("stack ls -o xml", '--output must be table, wide, json, yaml or name, not "xml"; see `gbnt stack ls --help`'),
        ("stack ls -o jsn", '--output must be table, wide, json, yaml or name, not "jsn" (did you mean "json"?)'),
        ("legion update --privileged always", '--privileged must be auto, allow or refuse, not "always"'),
        ("token create ci --role king", '--role must be admin, operator or viewer, not "king"'),
        ("stack deploy --timeout soon", f'--timeout must be {TIME}, not "soon"'),
        ("stack deploy --timeout nan", f'--timeout must be {TIME}, not "nan"'),
        ("stack deploy --timeout -1", f'--timeout must be {TIME}, not "-1"'),
        ("health --port 70000", '--port must be a whole number from 1 to 65535, not "70000"'),
        ("serve --api-port http", '--api-port must be a whole number from 1 to 65535, not "http"'),
    ],
)
def test_wrong_usage_is_our_sentence(gbnt: Run, line: str, said: str):
    ran = gbnt(*line.split())
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {said}")
    assert ran.err.count("\n") == 1


def test_a_wrong_variable_is_called_by_its_name(gbnt: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GBNT_API_PORT", "http")
    assert gbnt("serve").err.startswith("error: GBNT_API_PORT must be a whole number from 1 to 65535, ")
    monkeypatch.setenv("GBNT_API_PORT", "4000")
    monkeypatch.setenv("GBNT_WEB", "perhaps")
    assert gbnt("serve").err == "error: GBNT_WEB must be yes or no; see `gbnt serve --help`\n"


@pytest.mark.parametrize("words", [["--context", "rome", "stack", "ls"], ["-o", "json"]])
def test_an_option_before_the_command_is_told_its_place(gbnt: Run, words: list[str]):
    ran = gbnt(*words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"error: options follow the command, as `gbnt stack ls {words[0]}`; see `gbnt --help`\n"


@pytest.mark.parametrize("columns", ["40", "60", "200"])
def test_no_summary_of_a_command_is_cut(gbnt: Run, monkeypatch: pytest.MonkeyPatch, columns: str):
    monkeypatch.setenv("COLUMNS", columns)
    listed = " ".join(gbnt("stack", "--help").out.split())
    assert "wait until its containers and networks are gone." in listed
    assert "..." not in listed.partition("Commands:")[2]


def test_a_word_without_its_second_shows_what_there_is(gbnt: Run):
    ran = gbnt("stack")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("Usage: gbnt stack ")


USUAL = (
    "ps up down deploy run images services scale rm stop start restart kill pull build inspect stats info"
    " swarm job get apply delete"
)


@pytest.mark.parametrize("word", USUAL.split())
def test_the_first_words_of_who_comes_from_elsewhere_lead_to_ours(gbnt: Run, word: str):
    ran = gbnt(word, "x")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f'error: gbnt has no command "{word}": ')
    assert ran.err.endswith("; see `gbnt --help`\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("volume create", "name it under `volumes` in the compose file"),
        ("volume prune", "`gbnt system prune --volumes` removes"),
        ("network create", "name it under `networks` in the compose file"),
        ("network rm", "a network goes once no stack names it"),
        ("network prune", "a network goes once no stack names it"),
        ("system info", "`gbnt node ls` its machines"),
        ("config-file create", "name it under `configs` in the compose file"),
    ],
)
def test_and_so_do_their_second_words(gbnt: Run, words: str, said: str):
    ran = gbnt(*words.split(), "x")
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_every_hint_names_commands_that_there_are(gbnt: Run):
    hints = {hint for words in HINTS.values() for hint in words.values()}
    named = {line for hint in hints for line in re.findall(r"`(gbnt [^`]*)`", hint)}
    assert len(named) > 20
    for line in sorted(named):
        _, *words = line.split()
        ran = gbnt(*takewhile(re.compile("[a-z][a-z-]*").fullmatch, words), "--help")
        assert ran.status == 0, line
        assert [word for word in words if word.startswith("-") and word not in ran.out] == [], line
    for before, words in HINTS.items():
        for word in words:
            assert gbnt(*before.split()[1:], word).status == 2, (before, word)
