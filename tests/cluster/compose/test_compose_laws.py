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
CONFIG = st.just("conf") | st.builds(lambda target: {"source": "conf", "target": target}, st.sampled_from(["/a", "b"]))
DEVICE = st.one_of(
    st.builds("/dev/{}:/dev/{}:r".format, NAMES, NAMES),
    st.builds(lambda source, target: {"source": f"/dev/{source}", "target": f"/dev/{target}"}, NAMES, NAMES),
)
NETWORKS = st.sampled_from(["front", "back"])
FILES = st.sampled_from(["one.env", {"path": "two.env"}, {"path": "none.env", "required": False}])
SERVICE = st.fixed_dictionaries(
    {"image": st.sampled_from(["nginx", "redis:7"])},
    optional={
        "configs": st.lists(CONFIG, max_size=3),
        "depends_on": st.just(["base"]) | st.just({"base": {"condition": "service_healthy", "required": False}}),
        "devices": st.lists(DEVICE, max_size=3),
        "env_file": st.just("one.env") | st.lists(FILES, max_size=3),
        "extends": st.just("base") | st.just({"service": "base"}),
        "networks": st.lists(NETWORKS, max_size=2, unique=True)
        | st.dictionaries(NETWORKS, st.none() | st.just({"aliases": ["x"]}), max_size=2),
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
BASE: Keys = {"image": "busybox", "labels": ["a=base"], "environment": {"b": "base"}, "cap_add": ["NET_ADMIN"]}
TOP: Keys = {"configs": {"conf": {"content": "x"}}, "networks": {"front": None, "back": {"internal": True}}}
FILE = st.dictionaries(NAMES, SERVICE, min_size=1, max_size=3).map(
    lambda services: {**TOP, "services": {"base": BASE, **services}}
)
ENV_FILES = {"one.env": "a=one\nd=1\n", "two.env": "d=${d}2\nb=two\n"}


def escaped(value: Any) -> Any:
    """The value as a file writes it: with every dollar twice."""
    return json.loads(json.dumps(value).replace("$", "$$"))


def document(*files: Keys) -> Keys | None:
    """The canonical form of files given as values; None where they are refused."""
    return written(*(json.dumps(escaped(file)) for file in files))


def written(*texts: str) -> Keys | None:
    """The canonical form of files given as texts."""
    given = {f"{n}.yml": text for n, text in enumerate(texts)}
    try:
        return joined({**given, **ENV_FILES}, *given).document
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
    found = document(file)
    hypothesis.assume(found is not None)
    assert document(file, file) == found


@FEW
@given(FILE, FILE, FILE)
def test_merging_does_not_ask_how_files_are_grouped(one: Keys, two: Keys, three: Keys) -> None:
    for service in three["services"].values():
        # A canonical form says in `environment`, which wins, what its files say, and where it is for want of a network.
        for key in ("env_file", "networks"):
            service.pop(key, None)
    left = document(one, two)
    hypothesis.assume(left is not None)
    assert left is not None
    assert document(left, three) == document(one, two, three)


@FEW
@given(FILE)
def test_an_empty_file_changes_nothing(file: Keys) -> None:
    nothing: Keys = {"services": {}}
    found = document(file)
    hypothesis.assume(found is not None)
    assert document(nothing, file) == found == document(file, nothing)


@FEW
@given(FILE, SERVICE, st.data())
def test_a_key_that_is_reset_is_one_that_was_not_said(file: Keys, service: Keys, data: st.DataObject) -> None:
    service.pop("extends", None)  # or the other service says it too
    key = data.draw(st.sampled_from(sorted(service)).filter(lambda key: key != "image" or len(service) == 1))
    hypothesis.assume(key != "image")
    less = {one: value for one, value in service.items() if one != key}
    found = document({**file, "services": {**file["services"], "d": less}})
    hypothesis.assume(found is not None)
    whole = json.dumps(escaped({**file, "services": {**file["services"], "d": service}}))
    assert written(whole, f"services: {{d: {{{key}: !reset null}}}}") == found


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
