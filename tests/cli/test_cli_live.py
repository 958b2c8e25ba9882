"""Lines that move: on a terminal, in a pipe, and beside a clock."""

import io
import os
import pty
import struct
import termios
import threading
from collections.abc import Iterator
from fcntl import ioctl
from typing import TextIO

import pytest

from cli.errors import Unreachable
from cli.feed import ticking
from cli.follow import Follower, TimedOut, lines
from cli.live import ChangedLines, Line, LiveLines, display_for
from portal.shapes import StackProgress
from tests.cli.rows import task, tasks_line, verdict

END = "\x04"


class Terminal:
    """A pseudo-terminal, and the screen that a person sees."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.stream: TextIO = os.fdopen(slave, "w")

    def text(self) -> str:
        """All that was written since the last call."""
        # The kernel hands a terminal's output on later, from a queue: a mark at its end tells when all of it is here.
        self.stream.write(END)
        self.stream.flush()
        read = b""
        while not read.endswith(END.encode()):
            read += os.read(self._master, 1 << 20)
        return read.decode().removesuffix(END).replace("\r\n", "\n")

    def close(self) -> None:
        self.stream.close()
        os.close(self._master)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "5")
    terminal = Terminal()
    yield terminal
    terminal.close()


def screen(text: str) -> list[str]:
    """The rows of a terminal that was sent `text`, for the few sequences that are used."""
    rows, at = [""], 0
    rest = text
    while rest:
        if rest.startswith("\x1b["):
            end = next(place for place, char in enumerate(rest) if char.isalpha())
            number, letter, rest = rest[2:end], rest[end], rest[end + 1 :]
            if letter == "A":
                at -= int(number)
            elif letter == "K":
                rows[at] = ""
            elif letter == "J":
                rows[at:] = [""]
        elif rest[0] == "\n":
            at += 1
            rows += [""] * (at + 1 - len(rows))
            rest = rest[1:]
        else:
            rows[at] += rest[0].strip("\r")
            rest = rest[1:]
    return rows


def test_lines_are_redrawn_in_place(terminal: Terminal):
    display = display_for(terminal.stream)
    assert isinstance(display, LiveLines)
    display.show([Line("web.1", "pulling 4 %"), Line("web.2", "pending")])
    display.show([Line("web.1", "healthy", mood="good"), Line("web.2", "starting")])
    display.show([Line("web.1", "healthy", mood="good")])
    display.close()
    text = terminal.text()
    assert "\x1b[32m" in text
    assert screen(text) == ["web.1           healthy", ""]


def test_who_wants_no_colours_gets_none_and_a_dumb_terminal_no_cursor(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_COLOR", "1")
    display_for(terminal.stream).show([Line("web.1", "healthy", mood="good")])
    text = terminal.text()
    assert ("\x1b[32m" in text, screen(text)) == (False, ["web.1           healthy", ""])
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(display_for(terminal.stream), ChangedLines)


def test_nothing_is_written_where_nothing_changed(terminal: Terminal):
    display = LiveLines(terminal.stream)
    display.show([Line("web.1", "pending")])
    terminal.text()
    display.show([Line("web.1", "pending")])
    assert terminal.text() == ""


def test_a_long_line_is_cut_so_that_it_never_wraps(terminal: Terminal):
    LiveLines(terminal.stream).show([Line("web.1", "failed", "x" * 200, "bad")])
    assert [len(row) for row in screen(terminal.text())] == [39, 0]


def test_long_names_are_aligned_too(terminal: Terminal):
    LiveLines(terminal.stream).show([Line("notification.1", "running"), Line("notifications.12", "running")])
    assert screen(terminal.text()) == ["notification.1    running", "notifications.12  running", ""]


def test_a_low_terminal_shows_what_is_waited_for(terminal: Terminal):
    good = [Line(f"web.{number}", "running", mood="good") for number in range(30)]
    waiting = [Line(f"db.{number}", "starting") for number in range(5)]
    LiveLines(terminal.stream).show([*good, *waiting])
    assert screen(terminal.text()) == [
        "db.0            starting",
        "db.1            starting",
        "db.2            starting",
        "...             30 tasks are well: 2 m…",
        "",
    ]


def test_in_a_pipe_each_change_is_a_line_and_figures_are_no_change():
    stream = io.StringIO()
    display = display_for(stream)
    assert isinstance(display, ChangedLines)
    for state in ("pulling 1 %", "pulling 42 %", "starting", "starting", "healthy"):
        display.show([Line("web.1", state)])
    display.close()
    assert stream.getvalue().splitlines() == ["web.1  pulling 1 %", "web.1  starting", "web.1  healthy"]


def test_a_slot_that_is_rolled_over_is_one_line():
    assert lines([task(id="old"), task(id="new", state="starting")], 0.0) == [Line("web.1", "starting")]


def test_tasks_become_lines_by_service_and_slot():
    rows = [
        task("shop-web-10"),
        task("shop-web-2", state="failed", message="exit 1"),
        task("shop-db-1", state="pending"),
    ]
    assert lines(rows, 0.0) == [
        Line("db.1", "pending"),
        Line("web.2", "failed", "exit 1", "bad"),
        Line("web.10", "running", "", "good"),
    ]


def test_a_feed_ticks_while_nothing_arrives_and_raises_what_its_source_raises():
    go_on = threading.Event()

    def source() -> Iterator[int]:
        yield 1
        go_on.wait()
        raise ValueError("broke")

    seen = ticking(source, 0.001)
    assert next(seen) == 1
    assert next(seen) is None
    go_on.set()
    with pytest.raises(ValueError, match="broke"):
        list(seen)


class Script:
    """A client whose progress is given stream by stream."""

    def __init__(self, *streams: list[StackProgress | Exception]) -> None:
        self.streams = list(streams)

    def progress(self, stack: str, revision: int) -> Iterator[StackProgress]:
        for row in self.streams.pop(0) if self.streams else [Unreachable("gone", sent=True)]:
            if isinstance(row, Exception):
                raise row
            yield row


def follower(script: Script, now: Iterator[float] | None = None) -> Follower:
    clock = (lambda: next(now)) if now else (lambda: 0.0)
    return Follower(script, "shop", 8, ChangedLines(io.StringIO()), clock=clock, sleep=lambda seconds: None)  # type: ignore[arg-type]


def test_a_manager_that_comes_back_is_followed_on():
    script = Script([tasks_line(task()), Unreachable("gone", sent=True)], [Unreachable("gone")], [verdict()])
    assert follower(script).verdict()["verdict"] == "converged"


def test_a_removal_says_what_keeps_the_stack_from_being_gone():
    stuck: StackProgress = {**tasks_line(), "problem": "on rome, network shop_default is used by foreign"}
    watching = follower(Script([tasks_line(task()), stuck, tasks_line(), verdict("removed")]))
    watching.display = ChangedLines(shown := io.StringIO())
    assert watching.verdict()["verdict"] == "removed"
    assert shown.getvalue().splitlines() == [
        "web.1  running",
        "shop  is not gone: on rome, network shop_default is used by foreign",
    ]


def test_a_stack_that_is_watched_says_why_the_command_waits():
    told: StackProgress = {**tasks_line(task()), "watched": "watched for 5 s, since web has no health check"}
    watching = follower(Script([tasks_line(task()), told, tasks_line(task()), verdict()]))
    watching.display = ChangedLines(shown := io.StringIO())
    assert watching.verdict()["verdict"] == "converged"
    assert shown.getvalue().splitlines() == [
        "web.1  running",
        "shop  runs: watched for 5 s, since web has no health check",
    ]


def test_a_manager_that_stays_away_is_given_up():
    times = iter(range(0, 1_000, 10))
    with pytest.raises(Unreachable, match="gone"):
        follower(Script(), (float(second) for second in times)).verdict()


def test_a_stream_without_a_verdict_is_no_success():
    with pytest.raises(Unreachable, match="said nothing of how shop ended"):
        follower(Script([tasks_line(task())])).verdict()


def test_a_deadline_passes_while_lines_still_come():
    times = iter((0.0, 1.0, 2.0, 9.0, 10.0, 11.0, 12.0))
    script = Script([tasks_line(task(state="starting"))] * 5)
    with pytest.raises(TimedOut, match="not settled after 5 s"):
        follower(script, times).verdict(timeout=5)
