"""`environment`, `env_file`, and the grammar of environment files."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.compose.findings import ComposeError
from cluster.compose.report import Report
from cluster.compose.variables.dotenv import parse_env_file
from tests.cluster.compose.files import loaded, one_service, refused, service

FILE = r"""
# a comment
PLAIN=value
SPACED = a b   # a comment
export EXPORTED=yes
COLON: value
HASH=a#b
TAB=a	#b
FIRST= #b
EMPTY=
INHERITED
GONE
SINGLE='a $PLAIN \n # b'
DOUBLE="a ${PLAIN} \"q\" \n \$PLAIN $$" # a comment
LINES="one
two"
USES=${PLAIN}-${FROM_OUTSIDE}-${NONE:-d}
dotted.key-1=x
"""


def parsed(text: str, **environment: str) -> dict[str, str]:
    return parse_env_file("x.env", text.encode(), environment, Report())


def test_an_environment_file_is_read() -> None:
    assert parsed(FILE, INHERITED="in", FROM_OUTSIDE="out") == {
        "PLAIN": "value",
        "SPACED": "a b",
        "EXPORTED": "yes",
        "COLON": "value",
        "HASH": "a#b",
        "TAB": "a\t#b",
        "FIRST": "#b",
        "EMPTY": "",
        "INHERITED": "in",
        "SINGLE": r"a $PLAIN \n # b",
        "DOUBLE": 'a value "q" \n $PLAIN $',
        "LINES": "one\ntwo",
        "USES": "value-out-d",
        "dotted.key-1": "x",
    }


def test_windows_line_ends_and_a_byte_order_mark_are_no_text() -> None:
    assert parse_env_file("x.env", b"\xef\xbb\xbfA=1\r\nB='2'\r\nC\r\n", {"C": "3"}, Report()) == {
        "A": "1",
        "B": "2",
        "C": "3",
    }


@pytest.mark.parametrize("line", ["export H=1", "A B=2", "A =1", "=1"])
def test_a_raw_file_has_no_key_with_a_blank_or_without_a_name(line: str) -> None:
    with pytest.raises(ComposeError, match=r"x\.env:2:1: error: this line sets no variable") as caught:
        parse_env_file("x.env", f"A=1\n{line}\n".encode(), {}, Report(), raw=True)
    assert "no export before it" in caught.value.findings[0].hint


def test_a_raw_file_may_be_indented_and_inherit() -> None:
    assert parse_env_file("x.env", b"  A= 1\r\nIN\nGONE\n\t", {"IN": "2"}, Report(), raw=True) == {"A": " 1", "IN": "2"}


def test_a_raw_file_is_taken_as_it_is() -> None:
    assert parse_env_file("x.env", b"A='$B' # c\n# d\nE=f=g\n", {}, Report(), raw=True) == {"A": "'$B' # c", "E": "f=g"}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("A=1\nno good\n", "x.env:2:1: error: this line sets no variable (write KEY=value)"),
        ("A=1\nB='open\n", "x.env:2:3: error: this quote is never closed (close it with ')"),
        ('A=1\n\nB="a" b\n', "x.env:3:6: error: text after the closing quote (quote all of it)"),
        ("A=1\nB=${C:?say it}\n", "x.env:2:3: error: the variable C is required: say it (set C)"),
        ("=1\n", "x.env:1:1: error: this line sets no variable (write KEY=value)"),
    ],
)
def test_an_environment_file_that_is_none_is_refused_with_its_line(text: str, error: str) -> None:
    with pytest.raises(ComposeError) as caught:
        parsed(text)
    assert [finding.summary() for finding in caught.value.findings] == [error]


def test_a_large_environment_file_is_refused() -> None:
    with pytest.raises(ComposeError, match="more than 1048576"):
        parse_env_file("x.env", b"A=" + b"b" * 2_000_000, {}, Report())


def test_variables_that_double_each_other_are_bounded() -> None:
    lines = "A0=xxxxxxxxxxxxxxxx\n" + "".join(f"A{n + 1}=$A{n}$A{n}\n" for n in range(60))
    with pytest.raises(ComposeError, match="stand for too much"):
        parsed(lines)


@given(st.text(st.sampled_from("AB=:'\"#\\$ {}\n\r-"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ComposeError):
        parsed(text)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True),
        st.text(st.characters(exclude_characters="'\r\0", exclude_categories=["Cs"]), max_size=10),
    )
)
def test_what_is_quoted_reads_back(variables: dict[str, str]) -> None:
    assert parsed("".join(f"{key}='{value}'\n" for key, value in variables.items())) == variables


@pytest.mark.parametrize("form", ["environment: {A: '1', B: 2, C: true, D: }", "environment: [A=1, B=2, C=true, D]"])
def test_environment_is_a_map_or_a_list(form: str) -> None:
    assert service(form, environment={"D": "mine"}).environment == {"A": "1", "B": "2", "C": "true", "D": "mine"}


def test_a_variable_without_a_value_anywhere_is_left_out() -> None:
    assert service("environment: [A, B=]").environment == {"B": ""}


@pytest.mark.parametrize(
    ("written", "text"), [("1.10", "1.1"), ("022", "18"), ("0o644", "420"), ("0x1F", "31"), ("1_000", "1000")]
)
def test_a_number_that_changes_is_warned_of(written: str, text: str) -> None:
    file = loaded(one_service(f"environment: {{V: {written}, W: 10, X: True}}"))
    assert file.spec.services["web"].environment == {"V": text, "W": "10", "X": "true"}
    assert [warning.summary() for warning in file.warnings] == [
        f"c.yml:4:22: warning: services.web.environment.V: {written} is a number and becomes"
        f' "{text}" (quote it: "{written}")'
    ]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("[A: 1]", 'must be a text (write "KEY=value", without a colon, or make it a map without dashes)'),
        ("['=x']", '"" cannot be a name'),
        ("{A=B: c}", '"A=B" cannot be a name'),
        ("{A: [1]}", "must be a text, not a list"),
        ('{A: "\\0"}', "holds a NUL character"),
        ("7", "must be a map or a list, not a number"),
        ("FOO=1", "must be a map or a list, not a text"),
    ],
)
def test_an_environment_that_is_none_is_refused(value: str, error: str) -> None:
    assert error in refused(one_service(f"environment: {value}"))[0]


def test_later_files_win_and_environment_wins_over_files() -> None:
    spec = service(
        "env_file: [a.env, {path: ./b.env}, {path: gone.env, required: false}]\nenvironment: {C: own}",
        files={"a.env": "A=a\nB=a\nC=a\n", "b.env": "B=b\nC=b\n"},
    )
    assert spec.environment == {"A": "a", "B": "b", "C": "own"}


def test_a_file_that_is_named_twice_counts_at_its_first_place() -> None:
    files = {"x.env": "X=x\n", "y.env": "X=y\n"}
    assert service("env_file: [x.env, y.env, x.env]", files=files).environment == {"X": "y"}
    raw = "env_file: [x.env, y.env, {path: x.env, format: raw}]"
    assert service(raw, files=files).environment == {"X": "x"}


def test_a_file_may_name_variables_of_the_project_then_of_the_service_then_its_own_and_those_before_it() -> None:
    files = {
        "a.env": "A=1\nP=a\nS=a\nK=a\n",
        "b.env": "A=2\nB=${A}b\nPB=${P}b\nSB=${S}b\nKB=${K}b\nP\nS\n",
    }
    said = service("env_file: [a.env, b.env]\nenvironment: {S: s, N: }", files=files, environment={"P": "p"})
    assert said.environment == {
        "A": "2", "B": "2b", "P": "p", "PB": "pb", "S": "s", "SB": "sb", "K": "a", "KB": "ab",
    }  # fmt: skip


def test_two_services_with_one_file_have_what_each_makes_of_it() -> None:
    text = one_service("env_file: a.env\nenvironment: {A: '1'}", "  db: {image: x, env_file: a.env}\n")
    services = loaded(text, {"a.env": "B=${A:-none}"}).spec.services
    assert [one.environment["B"] for one in services.values()] == ["none", "1"]


def test_an_unset_variable_of_a_file_is_warned_of_there_once_and_its_line_is_not_shown() -> None:
    text = one_service("env_file: a.env", "  db: {image: x, env_file: a.env}\n")
    file = loaded(text, {"a.env": "A='x$y'\nPASSWORD=abc$def\n"})
    assert file.spec.services["web"].environment == {"A": "x$y", "PASSWORD": "abc"}
    assert [warning.render() for warning in file.warnings] == [
        "a.env:2:10: warning: the variable def is not set: an empty text stands for it"
        " (set def, or for a dollar use single quotes)"
    ]


def test_files_of_labels_may_name_the_labels_before_and_no_variables() -> None:
    files = {"a.env": "A=1\n", "b.env": "A=2\nB=${A}b\nC=${OUT}c\nOUT\n"}
    said = service("label_file: [a.env, b.env]", files=files, environment={"OUT": "out"})
    assert said.labels == {"A": "2", "B": "1b", "C": "c"}


def test_a_file_that_is_wrong_is_told_once_for_all_that_name_it() -> None:
    text = one_service("env_file: a.env", "  db: {image: x, env_file: a.env}\n")
    assert len(refused(text, files={"a.env": "no good"})) == 1


def test_a_large_file_of_many_services_is_bounded_though_it_says_little() -> None:
    services = "".join(f"  s{n}: {{image: x, env_file: a.env}}\n" for n in range(20))
    assert (
        "the stack has too large an environment"
        in refused(f"services:\n{services}", files={"a.env": "#" * 1_000_000})[0]
    )


def test_a_file_with_options_is_an_item_of_a_list() -> None:
    errors = refused(one_service("env_file: {path: a.env}"), files={"a.env": ""})
    assert errors == [
        'c.yml:4:5: error: services.web.env_file: must be a text or a list, not a map (write "- path: FILE" under it)'
    ]


def test_a_missing_env_file_is_an_error_at_its_place() -> None:
    assert refused(one_service("env_file: gone.env")) == [
        'c.yml:4:15: error: services.web.env_file: the file "gone.env" does not exist'
        " (create it, or make it optional: {path: FILE, required: false})"
    ]


def test_what_is_wrong_in_an_env_file_is_told_with_its_own_line() -> None:
    errors = refused(one_service("env_file: [a.env]"), files={"a.env": "A=1\nB='x\n"})
    assert errors == ["a.env:2:3: error: this quote is never closed (close it with ')"]


def test_labels_without_a_value_are_empty() -> None:
    spec = service("labels: [a, b=c]\ndeploy: {labels: {d: }}")
    assert (spec.labels, spec.deploy_labels) == ({"a": "", "b": "c"}, {"d": ""})
