"""Constraints: what they say, and which machines they allow."""

import pytest

from cluster.constraints import NoConstraint, parse
from tests.cluster.build import node

ROME = node(
    id="n1",
    name="rome",
    role="manager",
    os="linux",
    arch="x86_64",
    labels={"disk": "ssd", "gpu": "nvidia"},
    engine_labels={"provider": "own"},
)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("node.id == n1", True),
        ("node.hostname==rome", True),
        ("node.hostname != rome", False),
        ("node.role == Manager", True),
        ("node.role == worker", False),
        ("node.platform.os == linux", True),
        ("node.platform.arch == amd64", True),
        ("node.platform.arch != x86_64", False),
        ("node.labels.disk == SSD", True),
        ("node.labels.disk != hdd", True),
        ("node.labels.zone == a", False),
        ("node.labels.zone != a", True),
        ("engine.labels.provider == own", True),
        ("gbnt.node.gpu == nvidia", True),
        ("gbnt.node.role == manager", True),
        ("gbnt.node.labels.disk == ssd", True),
    ],
)
def test_a_constraint_allows_a_machine_or_not(text: str, allowed: bool):
    assert parse(text).allows(ROME) is allowed


def test_a_constraint_is_kept_in_its_long_form():
    assert str(parse("gbnt.node.gpu==nvidia")) == "node.labels.gpu == nvidia"
    assert str(parse("gbnt.node.role != worker")) == "node.role != worker"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no constraint: write it as in"),
        ("node.role = manager", "is no constraint: write it as in"),
        ("node.role ==", "is no constraint: write it as in"),
        ("node.rol == manager", "names node.rol, which no machine has: there are node.id, node.hostname"),
        ("node.labels. == x", "names node.labels., which no machine has"),
        ("node.role == boss", "names boss, which is no role: there are manager and worker"),
    ],
)
def test_what_is_no_constraint_says_how_one_is_written(text: str, said: str):
    with pytest.raises(NoConstraint) as refused:
        parse(text)
    assert str(refused.value).startswith(said)
