"""Constraints: what they say, and which machines they allow."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.constraints import EQUALITY, OPERATORS, Constraint, NoConstraint, parse
from tests.cluster.build import node

ROME = node(
    id="n1",
    name="rome",
    role="manager",
    address="10.0.7.5",
    os="linux",
    arch="x86_64",
    engine_version="20.10.5+dfsg1",
    labels={"disk": "ssd", "gpu": "nvidia", "ram": "64", "kernel": "v5.10", "load": "1.5", "rack": "r2"},
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
        ("node.ip == 10.0.7.5", True),
        ("node.ip == 10.0.0.0/16", True),
        ("node.ip != 10.1.0.0/16", True),
        ("node.labels.disk in (hdd, SSD)", True),
        ("node.labels.disk in(hdd)", False),
        ("node.labels.disk not in (hdd, tape)", True),
        ("node.labels.disk not  in (hdd, ssd)", False),
        ("node.labels.zone in (a, b)", False),
        ("node.labels.zone not in (a, b)", True),
        ("node.platform.arch in (arm64, amd64)", True),
        ("node.labels.gpu exists", True),
        ("node.labels.zone exists", False),
        ("node.labels.zone not exists", True),
        ("node.labels.ram > 8", True),
        ("node.labels.ram > 64", False),
        ("node.labels.ram >= 64", True),
        ("node.labels.ram < 128", True),
        ("node.labels.ram <= 63.5", False),
        ("node.labels.load > 1.25", True),
        ("node.labels.kernel > v5.9", True),
        ("node.labels.kernel > 5.9", True),
        ("node.labels.kernel >= 5.10.0", True),
        ("node.labels.kernel < v5.10", False),
        ("engine.version >= 20.10.5", True),
        ("engine.version > v23", False),
        ("node.labels.disk > 3", False),
        ("node.labels.zone < 3", False),
        ("stack.name == shop", True),
        ("stack.name != shop", False),
        ("stack.name in (blog, shop)", True),
    ],
)
def test_a_constraint_allows_a_machine_or_not(text: str, allowed: bool):
    assert parse(text).allows(ROME, "shop") is allowed


def test_a_constraint_is_kept_in_its_long_form():
    assert str(parse("gbnt.node.gpu==nvidia")) == "node.labels.gpu == nvidia"
    assert str(parse("gbnt.node.role != worker")) == "node.role != worker"
    assert str(parse("gbnt.node.gpu  not  in (a,b )")) == "node.labels.gpu not in (a, b)"
    assert str(parse("gbnt.node.services!=db")) == "node.services != db"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("node.labels.disk == ssd", "lack label disk=ssd"),
        ("node.labels.disk != ssd", "have label disk=ssd"),
        ("node.labels.disk in (ssd, nvme)", "lack label disk=ssd or nvme"),
        ("node.labels.disk not in (hdd, tape)", "have label disk=hdd or tape"),
        ("node.labels.gpu exists", "lack label gpu"),
        ("node.labels.gpu not exists", "have label gpu"),
        ("node.labels.ram >= 64", "lack label ram of at least 64"),
        ("engine.labels.provider == own", "lack label engine.labels.provider=own"),
        ("engine.version > v23", "have no engine.version above v23"),
        ("node.role == worker", "are not node.role worker"),
        ("node.role != worker", "have node.role worker"),
        ("node.services == db", "have no task of db"),
        ("node.services not in (db, cache)", "have a task of db or cache"),
        ("stack.name == shop", "are not for stack shop"),
    ],
)
def test_what_is_said_of_machines_that_a_constraint_turns_away(text: str, said: str):
    assert parse(text).fault == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no constraint: no key at column 1"),
        ("node.role", "is no constraint: no operator at column 10"),
        ("node.role = manager", "is no constraint: no operator at column 11"),
        ("node.labels.disk inside (a)", "is no constraint: no operator at column 18"),
        ("node.role ==", "is no constraint: no value at column 13"),
        ("node.role === manager", "is no constraint: no value at column 13"),
        ("node.labels.disk in ssd", "is no constraint: no list of values, as (a, b) at column 21"),
        ("node.labels.disk in (a,,b)", "is no constraint: no list of values, as (a, b) at column 21"),
        ("node.labels.disk exists now", "is no constraint: something after exists at column 25"),
        ("node.labels.ram > big", "compares with big, which is neither a number nor a version: write it as in 16"),
        ("node.rol == manager", "names node.rol, which no machine has: there are node.id, node.hostname"),
        ("node.labels. == x", "names node.labels., which no machine has"),
        ("node.role == boss", "names boss, which is no role: there are manager and worker"),
        ("node.role in (worker, boss)", "names boss, which is no role"),
        ("node.services > 3", "asks for > of node.services: with that go ==, !=, in, not in"),
    ],
)
def test_what_is_no_constraint_says_how_one_is_written(text: str, said: str):
    with pytest.raises(NoConstraint) as refused:
        parse(text)
    assert str(refused.value).startswith(said)
    if "at column" in said:
        assert OPERATORS in refused.value.hint


VALUE = st.from_regex(r"[a-z0-9][a-z0-9.]{0,6}", fullmatch=True)


@given(st.sampled_from(EQUALITY), st.lists(VALUE, min_size=1, max_size=3), st.none() | VALUE)
def test_a_constraint_is_read_as_it_is_written_and_its_opposite_allows_all_others(operator, values, found):
    one = Constraint("node.labels.a", operator, tuple(values if "in" in operator else values[:1]))
    assert parse(str(one)) == one
    opposite = {"==": "!=", "!=": "==", "in": "not in", "not in": "in"}[operator]
    other = Constraint(one.key, opposite, one.values)  # type: ignore[arg-type]
    assert one.holds(found) is not other.holds(found)


@given(st.text(max_size=40) | st.from_regex(r"node.(role|labels.a) ?(==|in|not in|>|exists) ?.{0,6}", fullmatch=True))
def test_any_text_is_a_constraint_or_says_why_not(text: str):
    with suppress(NoConstraint):
        assert parse(str(parse(text))) == parse(text)
