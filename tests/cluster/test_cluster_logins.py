"""Sign-ins to registries: which one counts, and how long each is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster import backoff
from cluster.decide import deploy, registries
from cluster.decide.decision import Decided, Refusal
from cluster.model import RegistryLogin
from cluster.registries import login_for
from tests.cluster.build import NOW, done, entropy, spec, stack, state_with

HUB = "hub.example"
OWN = RegistryLogin(HUB, "", "robot", "sealed-robot", NOW)
BROUGHT = RegistryLogin(HUB, "shop", "nero", "sealed-nero", NOW)
FILE = stack(spec(image=f"{HUB}/web:1"))


def test_what_came_with_a_deploy_is_its_stack_s_alone():
    state = done(state_with(), deploy.deploy(state_with(), FILE, entropy(), [BROUGHT]))
    assert login_for(state, HUB, "shop") == BROUGHT
    assert login_for(state, HUB, "other") is None
    assert login_for(state, "docker.io", "shop") is None


def test_the_cluster_s_own_sign_in_counts_before_what_came_with_a_deploy_until_it_is_taken_back():
    state = done(state_with(), deploy.deploy(state_with(), FILE, entropy(), [BROUGHT]))
    state = done(state, registries.sign_in(state, OWN))
    assert login_for(state, HUB, "shop") == login_for(state, HUB, "other") == OWN
    state = done(state, registries.sign_out(state, HUB))
    assert state.registries == {}


def test_a_sign_in_is_told_by_name_and_never_by_what_is_sealed():
    decision = registries.sign_in(state_with(), OWN)
    assert isinstance(decision, Decided)
    [told] = decision.happenings
    assert (told.kind, told.subject, told.message) == ("registry.login", HUB, "signed in as robot")
    assert "sealed" not in repr(decision)


def test_the_same_file_again_forgets_nothing_and_writes_nothing():
    state = done(state_with(), deploy.deploy(state_with(), FILE, entropy(), [BROUGHT]))
    decision = deploy.deploy(state, FILE, entropy())
    assert isinstance(decision, Decided)
    assert decision.changes == ()


def test_what_the_images_need_no_more_is_forgotten_and_what_they_do_not_need_is_not_kept():
    state = done(state_with(), deploy.deploy(state_with(), FILE, entropy(), [BROUGHT, replace(BROUGHT, registry="x")]))
    assert [login.registry for login in state.registries.values()] == [HUB]
    first = deploy.deploy(state_with(), FILE, entropy(), [replace(BROUGHT, registry="x"), BROUGHT])
    assert isinstance(first, Decided)
    assert [told.subject for told in first.happenings if told.kind == "registry.login"] == [HUB]
    state = done(state, deploy.deploy(state, stack(spec(image="busybox")), entropy()))
    assert state.registries == {}


def test_a_stack_that_is_gone_leaves_no_sign_in_and_takes_nobody_else_s():
    state = done(state_with(), deploy.deploy(state_with(), FILE, entropy(), [BROUGHT]))
    state = done(state, registries.sign_in(state, OWN))
    state = done(state, deploy.remove_stack(state, "shop", (), entropy()))
    assert "shop" not in state.stacks
    assert list(state.registries.values()) == [OWN]


@pytest.mark.parametrize("registry", ["", "https://hub.example/v1", "Hub.Example"])
def test_a_registry_is_kept_under_its_one_name(registry: str):
    refusal = registries.sign_in(state_with(), replace(OWN, registry=registry))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid"


def test_nobody_signs_out_where_nobody_is_signed_in():
    refusal = registries.sign_out(state_with(), HUB)
    assert isinstance(refusal, Refusal)
    assert "`gbnt registry ls` shows where" in refusal.message


@pytest.mark.parametrize(
    ("trouble", "pauses"),
    [
        ("", [1.0, 2.0, 4.0, 60.0]),
        ("unreachable", [1.0, 2.0, 4.0, 60.0]),
        ("denied", [5.0, 10.0, 20.0, 60.0]),
        ("missing", [5.0, 10.0, 20.0, 60.0]),
        ("limited", [60.0, 120.0, 240.0, 600.0]),
    ],
)
def test_each_no_of_a_registry_is_waited_for_as_long_as_it_is_worth(trouble, pauses: list[float]):
    assert [backoff.step_pause(failures, trouble, 0.0) for failures in (1, 2, 3, 30)] == pauses


def test_many_machines_do_not_ask_together_a_registry_that_limits_them():
    assert backoff.step_pause(1, "limited", 1.0) == 48.0
