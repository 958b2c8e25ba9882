"""What a tag means is asked once, and kept where it cannot be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.pinning import Resolve, Resolved, has_tag, pinned, to_ask, unpinned
from cluster.spec import ServiceSpec
from tests.cluster.build import spec, stack

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
GONE = Resolved(problem="the registry is not reached")
BEFORE = spec("web", image="hub.example/web:1", digest=ONE)


def known(*services: ServiceSpec) -> dict[str, ServiceSpec]:
    return {service.name: service for service in services}


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, True),
        ({"image": "busybox"}, True),
        ({"image": f"hub.example/web@{ONE}"}, False),
        ({"image": f"hub.example/web:1@{ONE}"}, False),
        ({"image": ONE}, False),
        ({"image": "1" * 64}, False),
        ({"image_id": "sha256:abc", "built_on": "n1"}, False),
        ({"pull_policy": "never"}, False),
        ({"pull_policy": "always"}, True),
    ],
)
def test_a_registry_is_asked_for_what_is_pulled_by_a_tag(fields: dict[str, str], asked: bool):
    web = replace(BEFORE, digest="", **fields)  # type: ignore[arg-type]
    assert has_tag(web) is asked
    assert to_ask(stack(web), {}, "always") == ((web.image,) if asked else ())


def test_an_image_of_many_services_is_asked_for_once_and_all_get_the_same():
    file = stack(spec("web", image="app:1"), spec("worker", image="app:1"), spec("db", image="db:1"))
    assert to_ask(file, {}, "always") == ("app:1", "db:1")
    done, warnings = pinned(file, {}, "always", {"app:1": Resolved(ONE), "db:1": Resolved(TWO)}, 2)
    assert [one.digest for one in done.services.values()] == [ONE, ONE, TWO]
    assert done.services["web"].reference == f"app:1@{ONE}"
    assert warnings == ()


def test_a_tag_that_moved_is_another_revision_and_one_that_did_not_is_the_same():
    file = stack(replace(BEFORE, digest=""))
    same, _ = pinned(file, known(BEFORE), "always", {BEFORE.image: Resolved(ONE)}, 2)
    moved, _ = pinned(file, known(BEFORE), "always", {BEFORE.image: Resolved(TWO)}, 2)
    revision = same.services["web"].revision()
    assert revision == stack(BEFORE).services["web"].revision()
    assert moved.services["web"].revision() != revision


def test_what_a_registry_cannot_say_now_stays_what_it_was_with_a_warning():
    done, [warning] = pinned(stack(replace(BEFORE, digest="")), known(BEFORE), "always", {BEFORE.image: GONE}, 2)
    assert done.services["web"].digest == ONE
    assert warning.startswith("hub.example/web:1 stays what it was (sha256:111111111111)")
    assert GONE.problem in warning


def test_what_never_had_a_digest_runs_as_it_is_written_with_a_warning():
    done, [warning] = pinned(stack(spec(image="mine")), {}, "always", {"mine": GONE}, 2)
    assert done.services["web"].reference == "mine"
    assert warning.startswith("mine is not pinned")
    assert pinned(stack(spec(image="mine")), {}, "always", {"mine": GONE}, 1) == (done, ()), "there is no other machine"
    other, _ = pinned(stack(replace(BEFORE, image="mine", digest="")), known(BEFORE), "always", {"mine": GONE}, 2)
    assert other.services["web"].digest == "", "a digest is of the image that it was asked for"


def test_changed_asks_for_what_is_written_differently_alone():
    file = stack(replace(BEFORE, digest=""), spec("db", image="db:2"))
    had = known(BEFORE, spec("db", image="db:1", digest=TWO))
    assert to_ask(file, had, "changed") == ("db:2",)
    done, _ = pinned(file, had, "changed", {"db:2": Resolved(TWO)}, 2)
    assert [done.services[name].digest for name in ("web", "db")] == [ONE, TWO]


def test_never_asks_nobody_and_pins_nothing():
    file = stack(BEFORE)
    assert to_ask(file, known(BEFORE), "never") == ()
    assert pinned(file, known(BEFORE), "never", {}, 2) == (unpinned(file), ())


@given(
    st.lists(st.sampled_from(["a:1", "b:1", f"c@{ONE}"]), min_size=1, max_size=4),
    st.sampled_from(["always", "changed", "never"]),
    st.dictionaries(st.sampled_from(["a:1", "b:1"]), st.sampled_from([Resolved(ONE), Resolved(TWO), GONE])),
)
def test_nothing_but_digests_changes_and_a_second_deploy_changes_nothing(
    images: list[str], resolve: Resolve, told: dict[str, Resolved]
):
    file = stack(*(spec(f"s{n}", image=image) for n, image in enumerate(images)))
    found = {image: told.get(image, GONE) for image in to_ask(file, {}, resolve)}
    once, _ = pinned(file, {}, resolve, found, 2)
    assert unpinned(once) == file
    again = {image: told.get(image, GONE) for image in to_ask(file, once.services, resolve)}
    assert pinned(file, once.services, resolve, again, 2)[0] == once
