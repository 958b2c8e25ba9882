import math
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import protocol  # it registers the cluster's messages
from cluster.audit import Caller, Deed
from cluster.expected import Expected
from supervisor.message import Terminated, message, registered
from transport.codec import CodecError, JsonCodec, TooLarge, Undecodable, Unencodable, UnknownTag


@dataclass(frozen=True, slots=True)
class Part:
    """Nested in a message, no message itself."""

    payload: bytes = b""
    numbers: tuple[int, ...] = ()


@message("test.whole/1")
@dataclass(frozen=True, slots=True)
class Whole:
    """One field of every kind that messages use."""

    part: Part
    text: str = ""
    number: int = 0
    real: float = 0.0
    flag: bool = False
    kind: Literal["a", "b"] = "a"
    maybe: Part | None = None
    parts: tuple[Part, ...] = ()
    by_name: Mapping[str, Part] = field(default_factory=dict)
    by_number: Mapping[int, str] = field(default_factory=dict)


def small_mapping(hint: Any) -> st.SearchStrategy[Any]:
    key, value = get_args(hint)
    return st.dictionaries(st.from_type(key), st.from_type(value), max_size=1)


st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(str, st.text(max_size=3))
st.register_type_strategy(Mapping, small_mapping)

codec = JsonCodec()
texts = st.text()
numbers = st.integers(-(2**63), 2**63 - 1)
reals = st.floats(allow_nan=False, allow_infinity=False)
parts = st.builds(Part, st.binary(), st.lists(numbers).map(tuple))
wholes = st.builds(
    Whole,
    parts,
    texts,
    numbers,
    reals,
    st.booleans(),
    st.sampled_from(["a", "b"]),
    st.none() | parts,
    st.lists(parts, max_size=3).map(tuple),
    st.dictionaries(texts, parts, max_size=3),
    st.dictionaries(numbers, texts, max_size=3),
)
plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | reals | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


@given(wholes)
def test_a_message_arrives_as_it_was(sent: Whole):
    assert codec.decode(codec.encode(sent)) == sent


@given(plain)
def test_a_plain_value_arrives_as_it_was(sent: object):
    received = codec.decode(codec.encode(sent))
    assert received == sent
    assert type(received) is type(sent)


def test_a_tag_stands_before_plain_json():
    notice = Terminated("rome-1/a", 7, "normal")
    tag, body = codec.pack(notice)
    assert (tag, body) == ("actor.terminated/1", b'{"address":"rome-1/a","incarnation":7,"reason":"normal"}')
    assert codec.unpack(tag, body) == notice
    assert codec.encode(notice) == b"actor.terminated/1 " + body
    assert codec.pack([1]) == ("", b"[1]")
    assert codec.encode([1]) == b" [1]"


class Number(int):
    """Would arrive as an int."""


@pytest.mark.parametrize(
    "value",
    [
        Part(),
        Part,
        object(),
        (1, 2),
        {1: "a"},
        [{"deep": (1,)}],
        {1, 2},
        b"bytes",
        Number(1),
        math.nan,
        math.inf,
        2**64,
        "\ud800",
        Whole(part="no part"),  # type: ignore[arg-type]
        Whole(Part(numbers=[1])),  # type: ignore[arg-type]
        Whole(Part(), text=1),  # type: ignore[arg-type]
        Whole(Part(), text="\ud800"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_would_not_arrive_as_it_is_is_not_sent(value: object):
    with pytest.raises(Unencodable):
        codec.encode(value)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", Undecodable),
        (b"{", Undecodable),
        (b" {", Undecodable),
        (b"{}", Undecodable),
        (b" ", Undecodable),
        (b"\xff\xfe", Undecodable),
        (b" " + b"[" * 100_000, Undecodable),
        (b"nobody/1 {}", UnknownTag),
        (b"\xff\xfe {}", UnknownTag),
        (b"test.whole/1 ", Undecodable),
        (b"test.whole/1 {}", Undecodable),
        (b"test.whole/1 []", Undecodable),
        (b'test.whole/1 {"part":{},"number":"1"}', Undecodable),
        (b'test.whole/1 {"part":{},"kind":"c"}', Undecodable),
        (b'test.whole/1 {"part":{"payload":"!"}}', Undecodable),
        (b'test.whole/1 {"part":{},"real":NaN}', Undecodable),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_nonsense_is_refused(data: bytes, error: type[CodecError]):
    with pytest.raises(error):
        codec.decode(data)


@given(st.binary())
def test_no_bytes_do_more_than_be_refused(data: bytes):
    try:
        codec.decode(data)
    except CodecError:
        pass


def test_a_field_of_a_later_release_is_ignored():
    assert codec.decode(b'test.whole/1 {"part":{"novel":1},"later":[]}') == Whole(Part())


def test_the_size_is_limited_both_ways():
    small = JsonCodec(max_bytes=20)
    assert small.decode(small.encode(string.digits)) == string.digits
    with pytest.raises(TooLarge, match="more than the 20"):
        small.encode(string.ascii_letters)
    with pytest.raises(TooLarge):
        small.decode(codec.encode(string.ascii_letters))


COMMANDS = st.from_type(protocol.ScaleService) | st.from_type(protocol.RevokeToken)
st.register_type_strategy(
    protocol.Asked,
    st.builds(protocol.Asked, COMMANDS, st.from_type(Deed), st.none() | st.from_type(Expected)),
)


def test_a_command_within_another_message_is_read_as_what_it_is_alone():
    asked = protocol.Asked(protocol.RevokeToken("t"), Deed(Caller("ci", "admin"), "tokens.revoke"))
    assert codec.decode(codec.encode(asked)) == asked
    forged = codec.encode(asked).replace(b"token.revoke/1", b"no.such/1")
    with pytest.raises(Undecodable):
        codec.decode(forged)


@given(st.data())
@settings(suppress_health_check=list(HealthCheck), max_examples=5)
@pytest.mark.parametrize("tag", sorted(registered()))
def test_every_message_of_the_cluster_arrives_as_it_was(tag: str, data: st.DataObject):
    sent = data.draw(st.from_type(registered()[tag]))
    assert codec.decode(codec.encode(sent)) == sent
