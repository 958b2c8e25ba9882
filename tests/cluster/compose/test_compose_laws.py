"""What holds for any files: what is printed means the same, merging has laws, and no bytes are too much."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.compose.findings import LONGEST_MESSAGE, ComposeError, Finding
from cluster.compose.variables.template import BadTemplate, expand
from tests.cluster.compose.files import joined
from tests.repository.compose_page import levels

Keys = dict[str, Any]

# Whole files are made slowly.
FEW = hypothesis.settings(max_examples=25)

WORDS = st.sampled_from(["a", "b", "web", "1", "no", "0o17", "1e3", "x y", "$5", "${A", "é", "~", ""])
NAMES = st.sampled_from(["a", "b", "c"])
PAIRS = st.dictionaries(NAMES, WORDS, max_size=3) | st.lists(st.builds("{}={}".format, NAMES, WORDS), max_size=3)
PORTS = st.integers(1, 65_000)
PORT = st.one_of(
    st.builds("{}:{}".format, PORTS, PORTS),
    st.builds("127.0.0.1:{}:{}/udp".format, PORTS, PORTS),
    st.builds(lambda target, mode: {"target": target, "mode": mode}, PORTS, st.sampled_from(["host", "ingress"])),
)
MOUNT = st.one_of(
    st.builds("./{}:/{}:ro".format, NAMES, NAMES),
    st.builds("/{}".format, NAMES),
    st.builds(lambda target: {"type": "tmpfs", "target": f"/{target}", "tmpfs": {"size": "1m"}}, NAMES),
)
SERVICE = st.fixed_dictionaries(
    {"image": st.sampled_from(["nginx", "redis:7"])},
    optional={
        "command": st.lists(WORDS, max_size=3),
        "entrypoint": st.none() | st.lists(WORDS, max_size=2),
        "environment": PAIRS,
        "labels": PAIRS,
        "ports": st.lists(PORT, max_size=3),
        "volumes": st.lists(MOUNT, max_size=3),
        "tmpfs": st.lists(st.builds("/{}".format, NAMES), max_size=2),
        "ulimits": st.dictionaries(NAMES, st.integers(-1, 9) | st.just({"soft": 1, "hard": 2}), max_size=2),
        "healthcheck": st.fixed_dictionaries(
            {"test": st.lists(WORDS, max_size=2).map(lambda words: ["CMD", *words])},
            optional={"interval": st.integers(1, 10**13).map("{}us".format), "retries": st.integers(0, 9)},
        ),
        "deploy": st.fixed_dictionaries({}, optional={"replicas": st.integers(0, 9), "labels": PAIRS}),
        "stop_grace_period": st.sampled_from(["1h2m3.5s", "100ms", "0s", "2d"]),
        "mem_limit": st.sampled_from(["64m", "1.5g", 104857600]),
        "sysctls": PAIRS,
        "x-own": st.recursive(st.none() | st.booleans() | WORDS, lambda one: st.lists(one, max_size=2), max_leaves=3),
    },
)
FILE = st.fixed_dictionaries({"services": st.dictionaries(NAMES, SERVICE, min_size=1, max_size=3)})


def escaped(value: Any) -> Any:
    """The value as a file writes it: with every dollar twice."""
    return json.loads(json.dumps(value).replace("$", "$$"))


def document(*files: Keys) -> Keys | None:
    """The canonical form of files given as values; None where they are refused."""
    given = {f"{n}.yml": json.dumps(escaped(file)) for n, file in enumerate(files)}
    try:
        return joined(given, *given).document
    except ComposeError:
        return None


@FEW
@given(FILE)
def test_the_canonical_form_of_a_canonical_form_is_itself(file: Keys) -> None:
    found = document(file)
    hypothesis.assume(found is not None)
    assert found is not None
    assert document(found) == found


@FEW
@given(FILE)
def test_a_file_over_itself_without_lists_is_itself(file: Keys) -> None:
    for service in file["services"].values():
        service.pop("x-own", None)  # lists of one's own have no names, so that all of both are kept
    assert document(file, file) == document(file)


@FEW
@given(FILE, FILE, FILE)
def test_merging_does_not_ask_how_files_are_grouped(one: Keys, two: Keys, three: Keys) -> None:
    left = document(one, two)
    hypothesis.assume(left is not None)
    assert left is not None
    assert document(left, three) == document(one, two, three)


@FEW
@given(FILE)
def test_an_empty_file_changes_nothing(file: Keys) -> None:
    nothing: Keys = {"services": {}}
    assert document(nothing, file) == document(file) == document(file, nothing)


PLAIN = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+?])([^${}]*))?\})")


def reference(text: str, variables: Mapping[str, str]) -> str:
    """Interpolation without nesting, in one regular expression."""

    def one(found: re.Match[str]) -> str:
        dollar, bare, name, operator, operand = found.groups()
        if dollar:
            return "$"
        value = variables.get(bare or name)
        if bare or operator is None:
            return value or ""
        present = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("+"):
            return str(operand) if present else ""
        if operator.endswith("?") and not present:
            raise BadTemplate("required")
        return (value or "") if present else str(operand)

    return PLAIN.sub(one, text)


TEMPLATE = st.lists(
    st.sampled_from(
        ["$A", "${A}", "${B:-x}", "${E-y}", "${E:-y}", "${A:+z}", "${N+z}", "${N:?m}", "$$", "a", " ", "}", "$1"]
    )
)


@given(TEMPLATE.map("".join))
def test_interpolation_agrees_with_a_small_reference(text: str) -> None:
    variables = {"A": "1", "B": "two", "E": ""}
    try:
        wanted = reference(text, variables)
    except BadTemplate:
        with pytest.raises(BadTemplate):
            expand(text, variables)
    else:
        assert expand(text, variables) == wanted


WORDS_OF_FILES = (
    b"services:|web:|image:| x|\n|  |    |- |{|}|[|]|,|&a |*a|<<: |$|${A:-|ports:|'80:80'|volumes:|extends:|include:"
    b"|!reset |!override |---\n|null|environment:|depends_on:|networks:|deploy:|replicas:| 1|profiles:|\xff|\0|'|\"|#"
)
PIECES = st.sampled_from(WORDS_OF_FILES.split(b"|"))


def told(data: bytes) -> tuple[Finding, ...]:
    """What is said of a file of any bytes that is laid over another; nothing else comes out of it."""
    try:
        joined({"a.yml": data, "b.yml": "services: {web: {image: x}}"}, "b.yml", "a.yml")
    except ComposeError as error:
        return error.findings
    return ()


@given(st.lists(PIECES, max_size=60).map(b"".join) | st.binary(max_size=200))
def test_any_bytes_are_a_stack_or_errors(data: bytes) -> None:
    assert all(len(finding.summary()) <= LONGEST_MESSAGE for finding in told(data))


LEVELS = levels()
KNOWN = sorted({key for table in LEVELS.values() for key in table} - {"include", "extends"})
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 70_000) | WORDS,
    lambda one: st.lists(one, max_size=2) | st.dictionaries(st.sampled_from(KNOWN), one, max_size=3),
    max_leaves=8,
)


def of_any_shape(key: str, value: Any) -> tuple[Finding, ...]:
    """What is said of a service with a key that holds anything."""
    return told(json.dumps(escaped({"services": {"web": {"image": "x", key: value}}})).encode())


@given(st.sampled_from(sorted(LEVELS["services.NAME"])), ANYTHING)
def test_a_key_may_hold_anything_and_is_read_or_told_of(key: str, value: Any) -> None:
    assert all(len(finding.summary()) <= LONGEST_MESSAGE for finding in of_any_shape(key, value))


@pytest.mark.soak
@hypothesis.settings(max_examples=200_000)
@given(st.sampled_from(sorted(LEVELS["services.NAME"])), ANYTHING)
def test_a_key_may_hold_anything_for_long(key: str, value: Any) -> None:
    assert all(len(finding.summary()) <= LONGEST_MESSAGE for finding in of_any_shape(key, value))


@pytest.mark.soak
@hypothesis.settings(max_examples=20_000)
@given(FILE, FILE)
def test_any_files_obey_the_laws_for_long(one: Keys, two: Keys) -> None:
    found = document(one, two)
    hypothesis.assume(found is not None)
    assert found is not None
    assert document(found) == found


@pytest.mark.soak
@hypothesis.settings(max_examples=200_000)
@given(st.lists(PIECES, max_size=200).map(b"".join) | st.binary(max_size=2_000))
def test_any_bytes_are_a_stack_or_errors_for_an_hour(data: bytes) -> None:
    assert all(len(finding.summary()) <= LONGEST_MESSAGE for finding in told(data))
