"""A changed record is what dataclasses.replace makes of it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.changed import changed
from cluster.model import State, Task
from tests.cluster.build import task


@given(st.builds(Task), st.text(), st.sampled_from(["pending", "running"]))
def test_it_is_what_replace_makes(record, node, state):
    assert changed(record, node=node, state=state) == replace(record, node=node, state=state)
    assert changed(record) == record


def test_the_record_before_stays_as_it_was_and_the_new_one_is_frozen():
    before = task()
    after = changed(before, node="gaul")
    assert (before.node, after.node) != ("gaul", "rome-1")
    with pytest.raises(FrozenInstanceError):
        after.node = "rome"  # type: ignore[misc]


def test_what_is_no_field_is_refused():
    with pytest.raises(TypeError, match="Task has no field machine"):
        changed(task(), machine="gaul")  # type: ignore[call-arg]


def test_a_class_that_works_something_out_is_refused():
    with pytest.raises(TypeError, match="State works something out"):
        changed(State(), revision=1)
