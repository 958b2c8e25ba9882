"""A service's revision: what changes it, and what does not."""

from dataclasses import dataclass

import pytest

from cluster.spec import Dependency, Placement, Port, RestartPolicy, UpdatePolicy, fingerprint
from tests.cluster.build import spec


@dataclass(frozen=True, slots=True)
class Before:
    """As one release had it."""

    name: str
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Since:
    """As the next one has it."""

    name: str
    sizes: tuple[int, ...] = ()
    colour: str = "grey"


def test_a_field_that_a_later_release_adds_changes_nothing_where_it_is_not_used():
    assert fingerprint({"a": (Before("x"), None)}) == fingerprint({"a": (Since("x"), None)})
    assert fingerprint(Since("x", colour="red")) != fingerprint(Before("x"))
    assert fingerprint(Before("x", (1,))) != fingerprint(Before("x", (2,)))


@pytest.mark.parametrize(
    "lasting",
    [{"image": "web:2"}, {"environment": {"A": "1"}}, {"ports": (Port(80),)}, {"placement": Placement(("a == b",))}],
)
def test_what_a_container_depends_on_is_another_revision(lasting):
    assert spec(**lasting).revision() != spec().revision()


@pytest.mark.parametrize(
    "passing",
    [
        {"replicas": 5},
        {"depends_on": (Dependency("db"),)},
        {"update": UpdatePolicy(2)},
        {"restart": RestartPolicy("none")},
        {"deploy_labels": {"a": "b"}},
        {"built_on": "n1"},
    ],
)
def test_what_may_change_under_a_running_container_is_none(passing):
    assert spec(**passing).revision() == spec().revision()
