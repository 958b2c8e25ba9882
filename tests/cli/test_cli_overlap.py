"""A join and the serving that follows it, as processes: what is shown, what is waited for, and how both end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVING = """
import os, sys
from cli.overlap import wait_until_joined
print("waits", os.getpid(), flush=True)
wait_until_joined(int(sys.argv[-1]))
print("serves", os.getpid(), os.environ.get("GBNT_JOIN_TOKEN"), os.environ.get("GBNT_LOG_LEVEL"))
"""
JOINING = """
import os, sys, time
from cli.overlap import serve_while
def join():
    print("joins", os.getpid(), flush=True)
    {join}
    print("joined", flush=True)
serve_while(join, [sys.executable, "-c", sys.argv[1]])
"""


@dataclass(frozen=True)
class Ended:
    status: int
    lines: list[list[str]]


def begin(join: str, preexec: Callable[[], object] | None = None) -> subprocess.Popen[str]:
    """A process that was started with a token in its words and its environment."""
    words = [sys.executable, "-c", JOINING.format(join=join), SERVING, "--token", "secret"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GBNT_JOIN_TOKEN": "secret", "GBNT_LOG_LEVEL": "info"}
    return subprocess.Popen(
        words,
        env=environment,
        preexec_fn=preexec,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> Ended:
    out, _ = process.communicate(timeout=50)
    return Ended(process.returncode, [line.split(maxsplit=2) for line in out.splitlines()])


def test_what_was_started_serves_once_its_child_has_joined():
    # It joins for as long as its parent shows the token.
    join = "while b'secret' in open(f'/proc/{os.getppid()}/cmdline', 'rb').read(): time.sleep(0.01)"
    process = begin(join)
    ended = end(process)
    assert ended.status == 0
    said = {words[0]: words[1:] for words in ended.lines}
    assert said["waits"] == [str(process.pid)]
    assert said["joins"] != said["waits"]
    assert said["serves"] == [str(process.pid), "None info"]
    assert [words[0] for words in ended.lines].index("joined") < [words[0] for words in ended.lines].index("serves")


@pytest.mark.parametrize(
    ("join", "status"),
    [("sys.exit(3)", 3), ("raise RuntimeError", 1), ("os.kill(os.getpid(), 9)", 137)],
)
def test_where_the_join_fails_it_ends_as_that_did(join: str, status: int):
    ended = end(begin(join))
    assert ended.status == status
    assert (["the", "join", "was ended by signal 9"] in ended.lines) == (status == 137)
    assert "serves" not in [words[0] for words in ended.lines]


def test_an_option_of_serve_that_is_wrong_is_no_reason_to_break_off_a_join():
    # A shell that has a child of its own and becomes `gbnt serve` with it: the join, which ends first.
    serve = f"{sys.executable} -m gubernator serve --once-joined"
    script = f"sh -c 'sleep 0.2; echo joined; exit 7' & exec {serve} $!"
    environment = {**os.environ, "GBNT_API_PORT": "none"}
    words = ["sh", "-c", script]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "joined\n", "")


def test_who_names_no_child_is_told_so():
    words = [sys.executable, "-m", "gubernator", "serve", "--once-joined", "1"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "names a child of this process" in done.stderr) == (2, True)


def test_where_ends_of_children_are_ignored_a_join_is_waited_for_all_the_same():
    process = begin("pass", preexec=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    ended = end(process)
    assert (ended.status, ended.lines[-1][0]) == (0, "serves")


def test_who_is_told_to_stop_while_it_joins_leaves_no_child_that_joins():
    process = begin("time.sleep(600)")
    assert process.stdout is not None
    while not process.stdout.readline().startswith("joins"):
        pass
    os.kill(process.pid, signal.SIGTERM)
    assert end(process).status == -signal.SIGTERM  # and its output has come to its end: nobody has it open any more
