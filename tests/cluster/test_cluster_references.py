"""What a person calls a thing by: an id, a name, or a beginning of an id that no other has."""

import pytest

from cluster.decide.decision import Refusal
from cluster.decide.references import meant

KNOWN = {"abc1": "rome", "abd2": "gaul", "x": "abc", "y1": "twin", "y2": "twin", "y3": ""}


def found(reference: str) -> str | Refusal:
    return meant("node", reference, KNOWN, "gbnt node ls")


@pytest.mark.parametrize(
    ("reference", "id"),
    [("abc1", "abc1"), ("rome", "abc1"), ("abd", "abd2"), ("x", "x"), ("abc", "x"), ("y3", "y3")],
)
def test_an_id_counts_before_a_name_and_that_before_a_beginning(reference: str, id: str):
    assert found(reference) == id


@pytest.mark.parametrize(
    ("reference", "refusal"),
    [
        ("twin", Refusal("conflict", '2 nodes are called "twin": give the id of one (y1, y2)')),
        ("ab", Refusal("conflict", '2 nodes are called "ab": give the id of one (abc1, abd2)')),
        ("rom", Refusal("not_found", 'there is no node "rom"; did you mean "rome"?')),
        ("zzz", Refusal("not_found", 'there is no node "zzz"; `gbnt node ls` shows what is there')),
        ("", Refusal("not_found", 'there is no node ""; `gbnt node ls` shows what is there')),
    ],
)
def test_what_is_not_certain_is_refused_with_what_it_may_be(reference: str, refusal: Refusal):
    assert found(reference) == refusal


def test_of_very_many_a_few_are_named():
    many = {f"a{number}": "" for number in range(9)}
    assert meant("task", "a", many, "gbnt task ls") == Refusal(
        "conflict", '9 tasks are called "a": give the id of one (a0, a1, a2, a3, a4, ...)'
    )
