import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.frames import (
    ACK,
    BEAT_BYTES,
    BYE,
    DATA,
    HELLO,
    MAX_FRAME,
    THE_BEAT,
    Ack,
    Batch,
    Bye,
    Frame,
    FrameError,
    FrameReader,
    Hello,
    decode,
    encode,
    encode_batch,
)

hello = Hello("rome-2", "b2", "c", 1, 3, "b1", 17, {"a": 1})
tells = ["t", "a/b", "test.x/1", [2, 3]]
batch = encode_batch(7, [tells, ["a", "a", "", 5, 100, 1], ["n", 3, 0, "normal", 0]], [b"{}", b"[1]", b"4"])

everything: list[Frame] = [
    hello,
    Ack(7, {"a/b": 2}, gap=True),
    THE_BEAT,
    Batch(7, 4, [tells, ["a", "a", "", 5, 100, 1], ["n", 3, 0, "normal", 0]], b"{}[1]4"),
    Bye("enough", refused=True),
]
wire = encode(hello) + encode(Ack(7, {"a/b": 2}, gap=True)) + BEAT_BYTES + batch + encode(Bye("enough", refused=True))


@given(st.lists(st.integers(0, len(wire)), max_size=20).map(sorted))
def test_frames_arrive_however_the_bytes_are_cut(cuts: list[int]):
    reader = FrameReader()
    chunks = [wire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert [frame for chunk in chunks for frame in reader.feed(chunk)] == everything


def test_a_frame_longer_than_allowed_is_refused_before_it_is_there():
    with pytest.raises(FrameError, match="2147483648 bytes is more than"):
        list(FrameReader(MAX_FRAME).feed(b"\x80\0\0\0D"))
    reader = FrameReader(100)
    assert list(reader.feed(b"\0")) == []
    with pytest.raises(FrameError, match="200 bytes is more than the 100"):
        list(reader.feed(b"\0\0\xc8H"))


def head(value: object, bodies: bytes = b"") -> bytes:
    text = orjson.dumps(value)
    return len(text).to_bytes(4, "big") + text + bodies


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        (ord("X"), b"", "no frame is of the kind 88"),
        (HELLO, b"{", "of the kind H cannot be read"),
        (HELLO, b'{"node":"a"}', "boot: Field required"),
        (ACK, b'{"received":"7"}', "received: Input should be a valid integer"),
        (BYE, b"[]", "of the kind Y"),
        (DATA, b"", "head of a batch"),
        (DATA, b"\xff\xff\xff\xff[]", "head of a batch"),
        (DATA, head([0, []]), "a batch from 0"),
        (DATA, head([True, []]), "a batch from True"),
        (DATA, head({"first": 1}), "head of a batch"),
        (DATA, head([1, ["abc"]]), "head of a batch"),
        (DATA, head([1, [{}]]), "head of a batch"),
        (DATA, head([1, [[[]]]]), "head of a batch"),
        (DATA, head([1, [["z", 1]]]), "KeyError: 'z'"),
        (DATA, head([1, [["t", "a", "", []]]]), "not as it should be"),
        (DATA, head([1, [["t", "a", "", [-1, 3]]]], b"{}"), "not as it should be"),
        (DATA, head([1, [["t", "a", "", [0.5, 1.5]]]], b"{}"), "head of a batch"),
        (DATA, head([1, [["t", "a", "", [3]]]], b"{}"), "names 3 bytes and has 2"),
        (DATA, head([1, [["r", "5", "", 2]]], b"{}"), "a run 'r' is not"),
        (DATA, head([1, [["w", "a", 5, -2]]]), "shorter than nothing"),
    ],
)
def test_what_is_no_frame_is_refused_in_words(kind: int, content: bytes, reason: str):
    with pytest.raises(FrameError, match=reason):
        decode(kind, content)


def test_a_field_of_a_later_release_is_ignored():
    later = orjson.dumps({"node": "a", "boot": "b", "cluster": "c", "oldest": 1, "newest": 9, "novel": [1]})
    assert decode(HELLO, later) == Hello("a", "b", "c", 1, 9)


@given(st.sampled_from([HELLO, DATA, ACK, BYE]) | st.integers(0, 255), st.binary())
def test_no_content_does_more_than_be_refused(kind: int, content: bytes):
    try:
        decode(kind, content)
    except FrameError:
        pass


json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.sampled_from(["t", "a", "r", "f", "w", "u", "n"]),
    lambda inner: st.lists(inner, max_size=6),
)


@given(st.tuples(st.integers(-1, 3), st.lists(json, max_size=4)), st.binary(max_size=4))
def test_no_head_of_a_batch_does_more_than_be_refused(value: object, bodies: bytes):
    try:
        decode(DATA, head(value, bodies))
    except FrameError:
        pass


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_chunks_do_more_than_be_refused(chunks: list[bytes]):
    reader = FrameReader(1000)
    try:
        for chunk in chunks:
            list(reader.feed(chunk))
    except FrameError:
        pass
