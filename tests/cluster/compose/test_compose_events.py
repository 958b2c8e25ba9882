"""Bytes to tree: YAML as compose files use it, places, and bounds that no input breaks."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.compose.findings import ComposeError
from cluster.compose.report import Report
from cluster.compose.tree.events import decode, parse
from cluster.compose.tree.nodes import Mapping, Node, Place, Scalar, Sequence, place_of
from cluster.compose.tree.text import Text
from tests.cluster.compose.files import refused

WEB = "services: {web: {image: nginx}}\n"


def documents(data: bytes) -> list[Mapping]:
    text, report = Text("c.yml"), Report()
    decode(data, text, report)
    return parse(text, report)


def tree(text: str) -> Mapping:
    return documents(text.encode())[0]


def at(place: Place) -> tuple[int, int]:
    return place.line, place.column


def plain(node: Node) -> object:
    """The tree as Python values."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(entry.value) for key, entry in node.entries.items()}


def test_a_tree_holds_texts_numbers_booleans_and_null() -> None:
    assert plain(tree("a: x\nb: 1\nc: 1.5\nd: true\ne:\nf: ~\ng: '1'")) == {
        "a": "x", "b": 1, "c": 1.5, "d": True, "e": None, "f": None, "g": "1"
    }  # fmt: skip


def test_every_node_knows_its_place() -> None:
    root = tree("services:\n  web:\n    ports:\n      - 80\n      - '81'\n")
    assert at(place_of(root, ("services",))) == (1, 1)
    assert at(place_of(root, ("services", "web", "ports", 1))) == (5, 9)
    assert at(place_of(root, ("services", "web", "gone", "deeper"))) == (2, 3)


def test_an_item_of_a_list_is_found_by_its_name_too() -> None:
    root = tree("depends_on:\n- db\n- cache\n")
    assert at(place_of(root, ("depends_on", "cache"))) == (3, 3)


def test_an_alias_is_the_same_node_once_more() -> None:
    root = tree("a: &x [1]\nb: *x\n")
    assert root.entries["a"].value is root.entries["b"].value


def test_merge_keys_keep_what_is_written_and_prefer_the_first_source() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 0}\nd: {w: 3, <<: *b}\n"
    found = plain(tree(text))
    assert isinstance(found, dict)
    assert found["c"] == {"x": 0, "y": 1, "z": 2}
    assert found["d"] == {"w": 3, "y": 2, "z": 2}


def test_a_quoted_merge_key_is_a_key() -> None:
    assert plain(tree("a: {'<<': {x: 1}}")) == {"a": {"<<": {"x": 1}}}


def test_a_byte_order_mark_is_no_text() -> None:
    assert plain(documents(b"\xef\xbb\xbfa: 1")[0]) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"", 'c.yml:1:1: error: the file is empty (it needs "services:" at least)'),
        (b"# nothing\n", 'c.yml:1:1: error: the file is empty (it needs "services:" at least)'),
        (b"7", 'c.yml:1:1: error: the top level must be a map (begin with "services:")'),
        (
            b"a:\n\tb: 1",
            "c.yml:2:1: error: not YAML: found character that cannot start any token"
            " (indent with spaces, not with tabs)",
        ),
        (
            b'a: 1\nb: "c\n',
            "c.yml:3:1: error: not YAML: found unexpected end of stream"
            " (while scanning a quoted scalar that begins on line 2)",
        ),
        (b"a: [1\nb: 2", "c.yml:2:2: error: not YAML: did not find expected ',' or ']'"),
        (b"a: \x01", "c.yml:1:4: error: not YAML: control characters are not allowed (remove the character)"),
        (b"a: 1\nb: \xff", "c.yml:2:4: error: byte 8 is not UTF-8 (save the file as UTF-8)"),
        (b"\xff\xfea\0", "c.yml:1:1: error: the file is UTF-16 (save it as UTF-8)"),
        (b"a: *x", "c.yml:1:4: error: *x is an alias of nothing (write &x before it)"),
        (b"a: &a {b: *a}", "c.yml:1:11: error: *a contains itself"),
        (b"a: {<<: 1}", 'c.yml:1:9: error: "<<" merges maps only'),
        (b"[a]: 1", "c.yml:1:1: error: a key must be a text"),
        (b"a: {{ b }}", 'c.yml:1:5: error: a key must be a text (quote a value that begins with "{")'),
        (
            b"a: p@ss: word",
            "c.yml:1:8: error: not YAML: mapping values are not allowed in this context"
            ' (quote a value that holds ": ", and indent keys of one map alike)',
        ),
        (
            b"- %x",
            "c.yml:1:3: error: not YAML: found character that cannot start any token"
            " (quote a value that begins with this character)",
        ),
        (
            b"a: *.b",
            "c.yml:1:5: error: not YAML: did not find expected alphabetic or numeric character"
            " (quote a value that begins with * or &)",
        ),
        (
            b"a: - b",
            "c.yml:1:4: error: not YAML: block sequence entries are not allowed in this context"
            " (begin a list on its own line, or quote a value with -)",
        ),
        (b"a: !!python/name:os.system 1", 'c.yml:1:4: error: the tag "!!python/name:os.system" is not supported'),
        (b"a: !resett 1", 'c.yml:1:4: error: the tag "!resett" is not supported (remove it)'),
    ],
)
def test_what_is_no_compose_file_is_refused_with_its_place(text: bytes, error: str) -> None:
    assert refused(text)[0].startswith(error)


def test_a_key_that_is_no_text_is_refused() -> None:
    assert refused("1: a\ntrue: b\n~: c\n") == [
        'c.yml:1:1: error: the key "1" is not a text (quote it: "1")',
        'c.yml:2:1: error: the key "true" is not a text (quote it: "true")',
        'c.yml:3:1: error: the key "~" is not a text (quote it: "~")',
    ]


def test_a_key_written_twice_names_both_lines() -> None:
    assert refused("services:\n  a: {image: x}\n  b: {image: x}\n  a: {image: y}\n") == [
        'c.yml:4:3: error: the key "a" is here a second time; the first is on line 2 (remove one)'
    ]


HOSTILE = {
    "a file of 50 MB": (b"a: " + b"x" * 50_000_000, "more than 4194304"),
    "a million open brackets": (b"a: " + b"[" * 1_000_000, "nested more than 100 deep"),
    "a million dashes": (b"- " * 1_000_000, "nested more than 100 deep"),
    "too many values": (b"a: [" + b"1," * 250_000 + b"]", "more than 200000 values"),
    "100,000 aliases": (b"a: &a 1\nb: [" + b"*a," * 100_000 + b"]", "stand for too much"),
    "aliases of aliases": (
        b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b"*a%d," % (n - 1) * 10) for n in range(1, 12)),
        "stand for too much",
    ),
    "aliases of a long text": (b'a: &a "' + b"y" * 100_000 + b'"\nb: [' + b"*a," * 1_000 + b"]", "stand for too much"),
    "aliases that nest": (
        b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 200)),
        "nested more than 100 deep",
    ),
    "a key of 5 MB": (b"? " + b"k" * 3_000_000 + b"\n: 1\n", "a key of 3000000 characters"),
    "a wall of %TAG": (b"".join(b"%%TAG !a%d! x\n" % n for n in range(100_000)) + b"---\na: 1", "%TAG"),
    "a number of 5,000 digits": (b"9: &a " + b"9" * 5_000, "is not a text"),
}


@pytest.mark.parametrize(("data", "message"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_input_is_refused_soon_and_in_few_words(data: bytes, message: str) -> None:
    begin = time.monotonic()
    errors = refused(data)
    # Ten times what it takes: without its bound each of these runs for minutes, or takes all memory.
    assert time.monotonic() - begin < 10
    assert message in errors[0]
    assert all(len(error) <= 400 for error in errors)


def test_control_characters_of_a_file_never_reach_the_terminal() -> None:
    errors = refused('services: {"\\e[31mred": 1}')
    assert len(errors) == 1
    assert "\x1b" not in errors[0]
    assert "\\x1b[31mred" in errors[0]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_tree_or_an_error(data: bytes) -> None:
    with contextlib.suppress(ComposeError):
        documents(data)


_YAML_PIECES = [
    "a: ",
    "- ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "&x ",
    "*x",
    "<<: ",
    "'",
    '"',
    "!!str ",
    "| \n",
    "#",
    ",",
    "?",
    ": ",
    "1",
    "---\n",
]


@given(st.lists(st.sampled_from(_YAML_PIECES), max_size=40))
def test_any_yaml_is_a_tree_or_an_error(pieces: list[str]) -> None:
    with contextlib.suppress(ComposeError):
        documents("".join(pieces).encode())
