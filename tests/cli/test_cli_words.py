"""Tables, and the words in them."""

from typing import Any

import pytest

from cli.errors import BadInput
from cli.table import Column, Row, cells, column, cut, render
from cli.task_words import ended_of, note, state, with_past
from cli.words import age, count, did_you_mean, duration, said, size
from tests.cli.rows import past, task


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (0, "-"),
        (None, "-"),
        ("", "-"),
        (99_995, "5s"),
        (99_881, "119s"),
        (99_880, "2m"),
        (92_800, "2h"),
        ("1970-01-02T00:00:00Z", "3h"),
        (100_001, "0s"),
    ],
)
def test_ages(since: object, said: str):
    assert age(since, 100_000.0) == said


def test_lengths_of_time_are_read_back():
    assert [duration(text) for text in ("90s", "10m", "2h", "3d")] == [90.0, 600.0, 7_200.0, 259_200.0]
    for wrong in ("", "s", "10", "-1m", "1.5h", "1w"):
        with pytest.raises(BadInput, match="write it as"):
            duration(wrong)


@pytest.mark.parametrize("text", ["9" * 400 + "d", "9" * 5_000 + "s", "36501d"])
def test_a_time_beyond_a_hundred_years_is_none(text: str):
    with pytest.raises(BadInput, match="at most 100 years"):
        duration(text)
    assert duration("36500d") == 36_500 * 86_400


def test_sizes_and_counts():
    assert [size(n) for n in (0, 999, 1_000, 34_000_000, 8_300_000_000, 5e12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "34 MB",
        "8.3 GB",
        "5.0 TB",
    ]
    assert (count(1, "task"), count(3, "task")) == ("1 task", "3 tasks")


def test_a_change_in_words():
    assert said("shop", {"web": "updated", "db": "unchanged"}) == "shop: db unchanged, web updated"
    assert said("shop", {"shop/web": "stopped"}) == "shop: web stopped"
    assert said("shop/web", {"shop/web": "scaled from 2 to 3"}) == "shop/web: scaled from 2 to 3"
    assert said("shop", {"db": "unchanged"}) == "shop: nothing to change"


def test_near_names_are_suggested_and_far_ones_are_not():
    assert did_you_mean("wbe", ["web", "db"]) == ' (did you mean "web"?)'
    assert did_you_mean("cache", ["web", "db"]) == ""


COLUMNS: tuple[Column[Row], ...] = (
    column("NAME", "name"),
    column("NOTE", "note", flexible=True),
    Column("N", lambda row: row["n"]),
)


def test_columns_are_aligned_and_empty_cells_are_dashes():
    rows: list[Row] = [{"name": "web", "note": ["a", "b"], "n": 0}, {"name": "database", "note": "", "n": None}]
    assert render(rows, COLUMNS).splitlines() == ["NAME      NOTE  N", "web       a, b  0", "database  -     -"]


def test_a_table_is_cut_in_its_flexible_columns_to_fit():
    rows = [{"name": "web", "note": "x" * 60, "n": 1}]
    lines = render(rows, COLUMNS, 40).splitlines()
    assert [len(line) for line in lines] == [40, 40]
    assert lines[1].endswith("xx…  1")
    assert render(rows, COLUMNS, 12).splitlines() == ["NAME  NOTE …", "web   xxxxx…"]


def test_a_column_of_rows_that_begin_alike_keeps_its_end():
    columns = (column("ADDRESS", "address", flexible=True, keeps_end=True), column("KIND", "kind"))
    rows: list[Row] = [{"address": "rome/services/shop/web", "kind": "Service"}]
    assert render(rows, columns, 18).splitlines() == ["ADDRESS    KIND", "…shop/web  Service"]


def test_wide_and_combining_characters_take_the_cells_that_they_take():
    assert (cells("日本"), cells("e\u0301"), cut("日本語", 5)) == (4, 1, "日本…")


def test_a_hostile_message_cannot_move_the_cursor():
    assert render([{"name": "a\x1b[2J\nb", "note": "", "n": 1}], COLUMNS).splitlines()[1].startswith("a\\x1b[2J\\nb")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": "running"}, ("running", "")),
        ({"state": "running", "health": "healthy", "message": "started"}, ("healthy", "")),
        ({"state": "running", "health": "unhealthy", "message": "probe failed"}, ("unhealthy", "probe failed")),
        (
            {"state": "preparing", "progress": {"message": "pulling 42%", "fraction": 0.42}, "message": "getting"},
            ("pulling 42%", ""),
        ),
        ({"state": "pending", "message": "waits for db to be healthy"}, ("pending", "waits for db to be healthy")),
        ({"state": "starting", "restart_at": 107.5, "problem": "exit 1"}, ("restarting in 8 s", "exit 1")),
        ({"state": "starting", "restart_at": 99.0, "problem": "exit 1"}, ("starting", "exit 1")),
    ],
)
def test_a_task_in_words(fields: dict[str, Any], said: tuple[str, str]):
    row = task(**fields)
    assert (state(row, 100.0), note(row)) == said


def test_older_tasks_of_a_slot_are_its_past_and_the_newest_five_are_shown():
    old = task(id="old", desired="remove", state="failed", exit_code=3, message="exit 3", since=50.0)
    lost = task(id="lost", desired="remove", state="lost", message="its node was removed", since=40.0)
    new = task(id="new", past=[past(number, number, "crash", 60.0 + number) for number in range(1, 5)])
    rows = list(with_past([old, lost, new]))
    assert rows[0]["id"] == "new"
    assert [(ended["exit_code"], ended["reason"]) for row in rows[1:] if (ended := ended_of(row))] == [
        (4, "crash"),
        (3, "crash"),
        (2, "crash"),
        (1, "crash"),
        (3, "exit 3"),
    ]
