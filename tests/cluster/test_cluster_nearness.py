"""What somebody may have meant, though there are very many names."""

import difflib

import pytest

from cluster.nearness import MOST, nearest

MANY = [f"shop-{number}" for number in range(10_000)] + ["warehouse", "web"]


@pytest.mark.parametrize(("name", "meant"), [("wbe", "web"), ("warehuose", "warehouse"), ("shop-77x", "shop-77")])
def test_the_name_that_is_meant_is_found_among_thousands(name, meant):
    assert nearest(name, MANY) == meant


@pytest.mark.parametrize("name", ["", "zzz", "w" * 100_000])
def test_what_is_like_nothing_has_no_hint(name):
    assert nearest(name, MANY) == ""


def test_no_more_names_are_compared_than_what_takes_no_time(monkeypatch):
    compared: list[str] = []

    def matches(word, possibilities, n, cutoff):
        compared.extend(possibilities)
        return possibilities[:n]

    monkeypatch.setattr(difflib, "get_close_matches", matches)
    assert nearest("shop-1", MANY) == "shop-1"
    assert len(compared) == MOST
