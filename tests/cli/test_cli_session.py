"""What answers in a manager's place: a sentence and an exit status, whatever it says, and never a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.manager import Answer, Lines, Manager, Raw

PAGES = [b"<html>Sign in to the network</html>", b"", b"[1, 2]", b'"ok"', b"\xff", b"[" * 100_000, b"{}"]


@pytest.mark.parametrize("body", PAGES, ids=["page", "nothing", "list", "text", "bytes", "deep", "empty"])
def test_what_is_no_manager_is_told_by_every_read(gbnt: Run, manager: Manager, body: bytes):
    manager.on("GET /v1/stacks", Raw(body))
    ran = gbnt("stack", "ls")
    assert ran.status == 1
    assert ran.err.startswith(f"error: what answers at {manager.url} is not gbnt, or of another age than this one: ")


@pytest.mark.parametrize("items", ["none", {"a": {}}, [1]])
def test_a_list_that_is_none_is_told(gbnt: Run, manager: Manager, items: Any):
    manager.on("GET /v1/stacks", Answer({"items": items}))
    assert gbnt("stack", "ls").err.endswith('its "items" are no list of objects\n')


def test_a_field_that_lacks_is_named(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks", Answer({"items": [{"name": "shop"}]}))
    ran = gbnt("stack", "ls")
    assert (ran.status, ran.err.split(": ")[-1]) == (1, 'its answer has no "tasks_running"\n')


@pytest.mark.parametrize("body", PAGES, ids=["page", "nothing", "list", "text", "bytes", "deep", "empty"])
def test_whether_a_change_was_made_is_unknown_after_an_odd_answer(gbnt: Run, manager: Manager, body: bytes):
    manager.on("POST /v1/stacks/shop/rollback", Raw(body))
    ran = gbnt("stack", "rollback", "shop", "3")
    assert (ran.status, len(manager.asked)) == (3, 1)
    assert ran.err.endswith("; what was asked may have been done: look, and try again\n")


@pytest.mark.parametrize("row", [{}, {"type": "tasks"}], ids=["empty", "half"])
def test_a_stream_of_something_else_is_told(gbnt: Run, manager: Manager, row: dict[str, Any]):
    manager.on("POST /v1/stacks/shop/stop", Answer({"revision": 8, "changes": {}}))
    manager.on("GET /v1/stacks/shop/progress", Lines(row))
    ran = gbnt("stack", "stop", "shop")
    assert (ran.status, "is not gbnt" in ran.err) == (1, True)


def test_a_page_that_says_it_is_packed_and_is_not_is_told(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks", Raw(b"plain", {"Content-Encoding": "gzip"}))
    assert gbnt("stack", "ls").status == 3


def test_a_stream_whose_token_is_good_no_more_ends_as_a_refusal_does(gbnt: Run, manager: Manager):
    ended = {"error": "the token that this came in by is good no more", "code": "unauthorized"}
    manager.on("GET /v1/services/shop/web/logs", Lines(ended))
    ran = gbnt("logs", "shop/web", "-f")
    assert (ran.status, "is good no more" in ran.err) == (4, True)
