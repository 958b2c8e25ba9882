"""gbnt's log, for a person and for programs."""

import json
import logging
import sys
from io import StringIO

import pytest

from cli.log import Console, Json
from portal.api.request_ids import REQUEST


@pytest.fixture
def request_id():
    token = REQUEST.set("r1")
    yield "r1"
    REQUEST.reset(token)


def record(message: str = "%d tasks", *args: object, name: str = "actors.agent", level: int = logging.WARNING, **more):
    made = logging.LogRecord(name, level, __file__, 1, message, args or (3,), None)
    made.created = 1_700_000_000.25
    for key, value in more.items():
        setattr(made, key, value)
    return made


def failure():
    try:
        raise OSError("no such thing")
    except OSError:
        return sys.exc_info()


def test_an_object_a_line():
    line = Json("rome").format(record())
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "warning",
        "logger": "actors.agent",
        "message": "3 tasks",
        "node": "rome",
    }


def test_what_else_is_known_stands_in_the_same_line(request_id: str):
    line = Json("rome").format(record(facts={"status": 200, "seconds": 0.5}, exc_info=failure()))
    told = json.loads(line)
    assert (told["request"], told["status"], told["seconds"]) == (request_id, 200, 0.5)
    assert told["exception"].startswith("Traceback")
    assert "\n" not in line


def test_a_record_s_own_request_goes_before_the_one_that_it_happened_in(request_id: str):
    assert json.loads(Json("rome").format(record(facts={"request": "r2"})))["request"] == "r2"
    assert json.loads(Json("rome").format(record(facts={"request": ""})))["request"] == request_id


def test_a_person_reads_sentences(request_id: str):
    assert Console().format(record()) == "2023-11-14T22:13:20.250Z WARNING actors.agent: 3 tasks (request r1)"
    shown = Console().format(record(exc_info=failure())).splitlines()
    assert shown[1].startswith("Traceback")


def test_what_json_has_no_room_for_loses_no_line():
    line = Json("rome").format(record("%s", "a\ud800b", facts={"size": 2**80}))
    told = json.loads(line)
    assert (told["message"], told["size"]) == ("a\ud800b", 2**80)
    line.encode()


def test_a_terminal_is_made_to_obey_nothing():
    assert Console().format(record("%s", "a\x1b[2J\ud800\nb", name="gbnt", level=logging.INFO)) == "a\\x1b[2J\\ud800\nb"


@pytest.mark.parametrize(("level", "shown"), [(logging.INFO, "3 tasks"), (logging.WARNING, "warning: 3 tasks")])
def test_who_started_gbnt_is_told_without_time_and_place(level: int, shown: str):
    assert Console().format(record(name="gbnt", level=level)) == shown


@pytest.mark.parametrize(
    ("form", "terminal", "readable"),
    [("", True, True), ("", False, False), ("json", True, False), ("console", False, True)],
)
def test_a_terminal_gets_sentences_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, form: str, terminal: bool, readable: bool
):
    stream = StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stderr", stream)
    from cli import log

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        log.set_up("warning", form, "rome")
        logging.getLogger("x").info("not this")
        logging.getLogger("x").warning("this")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("{") is not readable
    assert "this" in line
