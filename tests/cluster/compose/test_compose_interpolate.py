"""Variables in values."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.compose.variables.template import BadTemplate, expand
from tests.cluster.compose.files import loaded, one_service, refused, service

ENVIRONMENT = {"SET": "value", "EMPTY": "", "NESTED": "$SET"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$SET", "value"),
        ("${SET}", "value"),
        ("a${SET}b$SET-c", "avalueb" + "value-c"),
        ("$UNSET", ""),
        ("${SET:-d}", "value"),
        ("${UNSET:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${UNSET-d}", "d"),
        ("${SET:+a}", "a"),
        ("${EMPTY:+a}", ""),
        ("${EMPTY+a}", "a"),
        ("${UNSET+a}", ""),
        ("${SET:?m}", "value"),
        ("${EMPTY?m}", ""),
        ("${UNSET:-${SET:-x}}", "value"),
        ("${UNSET:-${EMPTY:-x$SET}}", "xvalue"),
        ("${UNSET:-a}b}", "ab}"),
        ("$$SET", "$SET"),
        ("$$$SET", "$value"),
        ("$$$$", "$$"),
        ("$5 a$ $(x) $", "$5 a$ $(x) $"),
        ("${SET:-${UNSET:?never}}", "value"),
        ("$NESTED", "$SET"),
        ("${UNSET:-$NESTED}", "$SET"),
        ("no dollar }", "no dollar }"),
    ],
)
def test_a_template_is_expanded(text: str, result: str) -> None:
    assert expand(text, ENVIRONMENT) == result


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A!}", "${A:0:1}", "${A/x/y}", "${A", "${A:-${B}", "${ A}"])
def test_a_template_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadTemplate):
        expand(text, ENVIRONMENT)


@pytest.mark.parametrize(
    ("text", "message"), [("${X:?say it}", "say it"), ("${EMPTY:?}", "no value"), ("${X?a $SET}", "a value")]
)
def test_a_required_variable_says_its_message(text: str, message: str) -> None:
    with pytest.raises(BadTemplate, match=message):
        expand(text, ENVIRONMENT)


def test_nesting_is_bounded() -> None:
    with pytest.raises(BadTemplate, match="nested more than 100"):
        expand("${A:-" * 100_000 + "}" * 100_000, {})


def test_a_branch_that_is_not_taken_misses_nothing() -> None:
    missed: list[str] = []
    assert expand("${SET:-$A}${B}${UNSET+$C}", ENVIRONMENT, missed.append) == "value"
    assert missed == ["B"]


_names = st.sampled_from(["A", "B_1", "_c"])
_plain = st.text(st.characters(codec="utf-8", exclude_characters="$}"), max_size=8)
_environments = st.dictionaries(_names, st.text(max_size=5))


@st.composite
def _templates(draw: st.DrawFn, depth: int = 2) -> tuple[str, list[object]]:
    """A template and what it means: texts, and (name, operator, template) triples."""
    parts: list[object] = []
    text = ""
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(
            st.sampled_from(["plain", "dollar", "variable", "operation"] if depth else ["plain", "dollar", "variable"])
        )
        if kind == "plain":
            parts.append(draw(_plain))
            text += str(parts[-1])
        elif kind == "dollar":
            parts.append("$")
            text += "$$"
        elif kind == "variable":
            name = draw(_names)
            parts.append((name, "-", []))
            text += f"${{{name}}}"
        else:
            name, operator = draw(_names), draw(st.sampled_from([":-", "-", ":+", "+"]))
            inner, meaning = draw(_templates(depth - 1))
            parts.append((name, operator, meaning))
            text += f"${{{name}{operator}{inner}}}"
    return text, parts


def _meaning(parts: list[object], environment: dict[str, str]) -> str:
    """What a template means, written down as directly as the specification says it."""
    result = ""
    for part in parts:
        if isinstance(part, str):
            result += part
            continue
        assert isinstance(part, tuple)
        name, operator, operand = part
        good = name in environment and (environment[name] != "" or ":" not in operator)
        if operator.endswith("-"):
            result += environment[name] if good else _meaning(operand, environment)
        else:
            result += _meaning(operand, environment) if good else ""
    return result


@given(_templates(), _environments)
def test_every_template_means_what_the_specification_says(
    template: tuple[str, list[object]], environment: dict[str, str]
) -> None:
    text, parts = template
    assert expand(text, environment) == _meaning(parts, environment)


@given(st.text(st.sampled_from("${}AB:-?+ x"), max_size=40))
def test_every_text_is_expanded_or_refused(text: str) -> None:
    with contextlib.suppress(BadTemplate):
        expand(text, {"A": "1"})


def test_values_are_interpolated_and_keys_are_not() -> None:
    spec = service("labels: {$K: $K}\ncommand: [$K]", environment={"K": "v"})
    assert spec.labels == {"$K": "v"}
    assert spec.command == ("v",)


def test_interpolated_texts_become_what_the_key_takes() -> None:
    spec = service(
        "privileged: ${P}\ndeploy: {replicas: '${R:-3}'}\nports: ['${HTTP}']", environment={"P": "yes", "HTTP": "80"}
    )
    assert (spec.privileged, spec.replicas, spec.ports[0].target) == (True, 3, 80)


def test_a_missing_variable_is_warned_of_once_with_its_place() -> None:
    warnings = loaded(one_service("hostname: a$GONE\nuser: b$GONE")).warnings
    assert [warning.summary() for warning in warnings] == [
        "c.yml:4:15: warning: services.web.hostname: the variable GONE is not set: an empty text stands for it"
        " (set GONE, or give a default: ${GONE:-value})"
    ]


def test_a_required_variable_that_is_unset_is_an_error_at_its_place() -> None:
    assert refused(one_service("command: echo ${TOKEN:?ask the office}")) == [
        "c.yml:4:14: error: services.web.command: the variable TOKEN is required: ask the office (set TOKEN)"
    ]


def test_the_stack_knows_its_own_name() -> None:
    spec = service("hostname: $COMPOSE_PROJECT_NAME", rest="name: my-$SUFFIX\n", environment={"SUFFIX": "shop"})
    assert spec.hostname == "my-shop"


def test_what_variables_stand_for_is_bounded() -> None:
    text = one_service(f"hostname: '{'$A' * 100_000}'")
    assert "stand for too much" in refused(text, environment={"A": "x" * 100})[0]
