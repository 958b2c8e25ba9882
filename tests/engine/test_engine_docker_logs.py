"""Logs: whatever the pieces in which Docker's bytes arrive, the same lines come out."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.docker_images import PullMeter, full_reference
from engine.docker_logs import LONGEST_LINE, FrameReader, TerminalReader
from engine.port import LogLine


def frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(payload)) + payload


def read(reader: FrameReader | TerminalReader, *chunks: bytes) -> list[LogLine]:
    lines = [line for chunk in chunks for line in reader.feed(chunk)]
    return [*lines, *reader.end()]


@given(cuts=st.lists(st.integers(0, 80), max_size=6).map(sorted))
def test_frames_may_be_cut_anywhere(cuts):
    data = frame(1, b"t1 one\n") + frame(2, b"t2 oh no\n") + frame(1, b"t3 t\xc3\xa9rminated not")
    edges = [0, *cuts, len(data)]
    chunks = [data[start:end] for start, end in pairwise(edges)]
    assert read(FrameReader(), *chunks) == [
        LogLine("t1", "stdout", "one"),
        LogLine("t2", "stderr", "oh no"),
        LogLine("t3", "stdout", "términated not"),
    ]


def test_a_long_line_in_several_frames_is_one_line_with_its_first_time():
    frames = frame(1, b"t1 " + b"x" * 16384) + frame(2, b"t2 between\n") + frame(1, b"t3 y\n")
    assert read(FrameReader(), frames) == [
        LogLine("t2", "stderr", "between"),
        LogLine("t1", "stdout", "x" * 16384 + "y"),
    ]


def test_a_line_without_end_is_cut():
    frames = [frame(1, b"t " + b"x" * 16384) for _ in range(LONGEST_LINE // 16384 + 1)]
    assert [len(line.text) for line in read(FrameReader(), *frames)] == [LONGEST_LINE, 16384]


def test_an_empty_line_and_bytes_that_are_no_text_are_lines_too():
    assert read(FrameReader(), frame(1, b"t1 \n") + frame(1, b"t2 \xff\n")) == [
        LogLine("t1", "stdout", ""),
        LogLine("t2", "stdout", "\N{REPLACEMENT CHARACTER}"),
    ]


@given(cut=st.integers(0, 30))
def test_a_terminals_lines_end_with_a_carriage_return(cut):
    data = b"t1 one\r\nt2 two\r\nt3 $ "
    assert read(TerminalReader(), data[:cut], data[cut:]) == [
        LogLine("t1", "stdout", "one"),
        LogLine("t2", "stdout", "two"),
        LogLine("t3", "stdout", "$ "),
    ]


@pytest.mark.parametrize(
    ("reference", "full"),
    [
        ("busybox", "busybox:latest"),
        ("busybox:1", "busybox:1"),
        ("hub.example:5000/shop/web", "hub.example:5000/shop/web:latest"),
        ("shop@sha256:9f", "shop@sha256:9f"),
    ],
)
def test_a_reference_without_a_tag_means_latest(reference, full):
    assert full_reference(reference) == full


def test_a_pull_moves_with_what_it_brings_and_unpacks_and_not_with_what_it_repeats():
    meter = PullMeter()

    def moves(status: str, current: int) -> int:
        return meter.progress({"status": status, "id": "a1", "progressDetail": {"current": current, "total": 9}}).moves

    assert [moves("Downloading", 1), moves("Downloading", 1), moves("Downloading", 2)] == [1, 1, 2]
    assert [moves("Extracting", 2), moves("Extracting", 4), moves("Extracting", 4)] == [3, 4, 4]
