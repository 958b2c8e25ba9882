"""Which registry an image is of, and what is said where it gives none."""

import pytest

from cluster.registries import advised, registry_named, registry_of, repository_of

IMAGES = [
    ("busybox", "docker.io", "docker.io/library/busybox"),
    ("busybox:1.36", "docker.io", "docker.io/library/busybox"),
    ("library/busybox", "docker.io", "docker.io/library/busybox"),
    ("team/app:1", "docker.io", "docker.io/team/app"),
    ("docker.io/team/app", "docker.io", "docker.io/team/app"),
    ("index.docker.io/team/app", "docker.io", "docker.io/team/app"),
    ("docker.io/busybox@sha256:" + "0" * 64, "docker.io", "docker.io/library/busybox"),
    ("localhost/app", "localhost", "localhost/app"),
    ("127.0.0.1:5000/team/app:1@sha256:" + "0" * 64, "127.0.0.1:5000", "127.0.0.1:5000/team/app"),
    ("registry.example/app", "registry.example", "registry.example/app"),
    ("registry.example:5000/a/b/c:v1", "registry.example:5000", "registry.example:5000/a/b/c"),
]


@pytest.mark.parametrize(("image", "registry", "repository"), IMAGES)
def test_an_image_is_of_the_registry_that_it_names_however_it_is_written(image: str, registry: str, repository: str):
    assert registry_of(image) == registry
    assert repository_of(image) == repository


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("https://Registry.Example:5000/v2/", "registry.example:5000"),
        ("http://127.0.0.1:5000", "127.0.0.1:5000"),
        (" ghcr.io ", "ghcr.io"),
        ("https://", ""),
        ("", ""),
    ],
)
def test_a_registry_has_one_name_whatever_it_is_called(text: str, registry: str):
    assert registry_named(text) == registry


def test_who_is_denied_is_told_what_would_change_it():
    denied, hub = "the registry denies image app", "hub.example"
    assert advised(denied, "denied", hub).endswith("or it needs a sign-in, by `gbnt registry login hub.example`")
    assert "denies image app to nero: see that nero may have it" in advised(denied, "denied", hub, "nero")
    cut_off = advised(denied, "denied", hub, unasked="the manager does not answer")
    assert cut_off == f"{denied}; it may need a sign-in, and the manager does not answer"
    assert advised("no such image", "missing", hub) == "no such image"


def test_a_limit_is_waited_for_and_higher_for_who_signs_in():
    assert "by `gbnt registry login hub.example`" in advised("no more", "limited", "hub.example")
    assert "registry login" not in advised("no more", "limited", "hub.example", "nero")
