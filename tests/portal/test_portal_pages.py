"""Lists: filters, selectors, order and pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.api.pages import BadList, Filter, Page, Wish, field_of, is_like, opened, page
from portal.api.selectors import BadSelector, parse, selects

ROWS: list[dict[str, Any]] = [
    {"name": "a", "status": "ready", "cpus": 4, "labels": {"tier": "web", "app.io/zone": "x"}, "volumes": ["v1", "v2"]},
    {"name": "b", "status": "down", "cpus": None, "labels": {"tier": "db"}, "volumes": []},
    {"name": "c", "status": "ready", "cpus": 2, "labels": {}, "volumes": ["v2"]},
]


def names(found: Page) -> str:
    return "".join(str(row["name"]) for row in found.items)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (["status=ready"], "ac"),
        (["status!=ready"], "b"),
        (["status=ready", "status=down"], "abc"),
        (["status=ready", "name=a"], "a"),
        (["name=a", "status=down"], ""),
        (["name!=a", "name!=b"], "c"),
        (["status=re*"], "ac"),
        (["status=*d*"], "abc"),
        (["status=r*d*y"], "ac"),
        (["status=*ow*n"], "b"),
        (["status=rea*eady"], ""),
        (["status=*"], "abc"),
        (["status=[r]eady"], ""),
        (["status=?eady"], ""),
        (["volumes=v2"], "ac"),
        (["volumes!=v2"], "b"),
        (["labels.tier=web"], "a"),
        (["labels.app.io/zone=x"], "a"),
        (["cpus="], "b"),
    ],
)
def test_rows_are_filtered_by_their_fields(filters, wanted):
    assert names(page(ROWS, Wish(tuple(map(Filter.of, filters))), ["name"])) == wanted


@pytest.mark.parametrize("text", ["status", "=ready", "!=x", ""])
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(BadList, match="FIELD=VALUE"):
        Filter.of(text)


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ([], "abc"),
        (["-name"], "cba"),
        (["status"], "bac"),
        (["cpus"], "bca"),
        (["-cpus"], "acb"),
        (["status", "-name"], "bca"),
    ],
)
def test_rows_are_sorted_up_and_down_and_by_their_order_at_last(sort, wanted):
    assert names(page(ROWS[::-1], Wish(sort=tuple(sort)), ["name"])) == wanted


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["", "x", "y"])), max_size=20),
    st.integers(1, 7),
    st.sampled_from([(), ("number",), ("-number",), ("word", "-number")]),
)
def test_pages_hold_each_row_once_in_the_order_of_the_whole(pairs, limit, sort):
    rows = [{"id": index, "number": number, "word": word} for index, (number, word) in enumerate(pairs)]
    whole = page(rows, Wish(sort=sort), ["id"]).items
    told: list[Any] = []
    after = None
    while True:
        part = page(rows, Wish(sort=sort, limit=limit, after=after), ["id"])
        told += part.items
        assert part.remaining == len(rows) - len(told)
        if not part.next:
            break
        after = opened(part.next, len(sort) + 1)
    assert told == whole


def test_a_row_that_is_there_all_the_time_is_in_one_page_whatever_comes_and_goes():
    first = page(ROWS, Wish(limit=2), ["name"])
    assert names(first) == "ab"
    changed = [{"name": "0"}, ROWS[2], {"name": "d"}]  # the last one that was told is gone
    assert names(page(changed, Wish(limit=2, after=opened(first.next, 1)), ["name"])) == "cd"


@pytest.mark.parametrize("cursor", ["x", "!!", "e30=", "WzEsMl0="])
def test_a_cursor_of_another_list_is_refused(cursor):
    with pytest.raises(BadList, match="another list"):
        opened(cursor, 1)


def test_a_field_may_lie_within_another():
    assert field_of({"disk": {"free": 3}}, "disk.free") == 3
    assert field_of({"disk": {"free": 3}}, "disk.free.x") is None


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("tier=web", "a"),
        ("tier==web", "a"),
        ("tier!=web", "bc"),
        ("tier in (web, db)", "ab"),
        ("tier notin (web)", "bc"),
        ("tier", "ab"),
        ("!tier", "c"),
        ("tier,tier!=db", "a"),
        ("app.io/zone=x , tier = web", "a"),
        ("", "abc"),
    ],
)
def test_labels_select_as_kubernetes_has_it(selector, wanted):
    assert "".join(str(row["name"]) for row in ROWS if selects(parse(selector), row["labels"])) == wanted


@pytest.mark.parametrize("text", ["a=" + " " * 200_000 + "(", "a" * 200_000 + "(", "a" + " " * 200_000 + "("])
def test_a_selector_is_read_at_a_cost_that_grows_with_its_length_alone(text):
    with pytest.raises(BadSelector, match="no requirement"):
        parse(text)


@given(st.text("ab", max_size=8), st.text("ab*", max_size=6))
def test_stars_are_any_text(text, pattern):
    assert is_like(text, pattern) == bool(re.fullmatch(pattern.replace("*", ".*"), text))


def test_a_pattern_is_matched_at_a_cost_that_grows_with_its_length_alone():
    assert not is_like("a" * 100_000, "*a" * 50_000 + "b*")
    assert not is_like("x", "[" * 1_000_000)


@pytest.mark.parametrize("text", ["=web", "tier in web", "a b", "a in (b", "a=b c", "a,,b"])
def test_what_is_no_selector_is_refused(text):
    with pytest.raises(BadSelector, match="no requirement"):
        parse(text)
