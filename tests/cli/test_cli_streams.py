"""Output that cannot be written, and standard streams that the caller closed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.manager import Answer, Lines, Manager, listing
from tests.cli.rows import stack, verdict

NO_ROOM = "error: the output could not be written: No space left on device; what was asked for may have been done\n"


def in_shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `gbnt` is this checkout's."""
    text = f'gbnt() {{ "{sys.executable}" -m gubernator "$@"; }}; {line}'
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    return subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False, env=variables)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["version", "--help", "stack --help", "config get-contexts -o json"])
def test_an_output_without_room_is_one_sentence(words: str, unbuffered: str):
    ran = in_shell(f"gbnt {words} > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert (ran.returncode, ran.stderr) == (1, NO_ROOM)


@pytest.mark.parametrize("line", ["gbnt stackk 2> /dev/full", "gbnt --help > /dev/full 2>&1"])
def test_where_nothing_can_be_said_the_status_says_it(line: str):
    ran = in_shell(line)
    assert ran.returncode != 0
    assert (ran.stdout, ran.stderr) == ("", "")


@pytest.mark.parametrize("words", ["version", "--help", "stack ls", "health --help", "stack ls -o yaml"])
def test_a_closed_output_is_as_good_as_dev_null(manager: Manager, words: str):
    manager.on("GET /v1/stacks", listing(stack()))
    ran = in_shell(f"gbnt {words} >&-")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_news_do_not_go_to_the_output_because_the_error_stream_is_closed(manager: Manager, home: Path):
    (home / "compose.yaml").write_text("name: shop\nservices: {web: {image: busybox}}\n")
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 8, "changes": {"web": "created"}}))
    manager.on("GET /v1/stacks/shop/progress", Lines(verdict()))
    ran = in_shell("gbnt stack deploy <&- 2>&-")
    assert (ran.returncode, ran.stdout) == (0, "")


def test_no_file_gets_the_number_of_a_closed_stream():
    probe = "import os; print(*(os.readlink(f'/proc/self/fd/{n}') for n in range(3)), file=open('fds', 'w'))"
    begin = f"from gubernator.streams import open_closed; open_closed(); {probe}"
    in_shell(f'"{sys.executable}" -c "{begin}" <&- >&- 2>&-')
    assert Path("fds").read_text() == "/dev/null /dev/null /dev/null\n"


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_what_an_encoding_lacks_ends_no_command(manager: Manager, errors: str):
    manager.on("GET /v1/stacks", listing(stack("caf\u00e9-\u732b")))
    ran = in_shell("gbnt stack ls", PYTHONIOENCODING=f"ascii:{errors}")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_file_that_the_system_refuses_is_named(gbnt: Run, monkeypatch: pytest.MonkeyPatch):
    def refused(words: object) -> int:
        raise PermissionError(13, "Permission denied", "/etc/gbnt")

    monkeypatch.setattr("cli.main._run", refused)
    ran = gbnt("stack", "ls")
    assert (ran.status, ran.err) == (1, "error: /etc/gbnt: Permission denied\n")
