"""Private images on every machine: one sign-in for all, the same bits everywhere, and a secret that nobody finds."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.node import Ended, until
from tests.engine.registry import NERO, Registry
from tests.lab.lab import Lab
from tests.lab.machine import Machine

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(180)]

FILE = """
services:
  web:
    image: {image}
    command: [sleep, "1000"]
    init: true
    deploy: {{placement: {{constraints: [node.role == worker]}}}}
"""
# As it stands in a file of Docker's, in a header, and in neither.
SECRETS = (NERO.password, b64encode(f"{NERO.username}:{NERO.password}".encode()).decode())


@pytest.fixture
def registry(legion: Lab, tmp_path: Path) -> Iterator[Registry]:
    """A registry on the first machine, which all reach and NERO alone may use."""
    rome = legion.machines[0]
    with (
        rome.host.space.network(),
        Registry.serving(tmp_path, private=True, host=rome.address, engine=rome.engine) as one,
    ):
        yield one


def publish(machine: Machine, registry: Registry, version: str) -> str:
    """Put an image that was not there before under the one tag; what a compose file calls it."""
    folder = machine.folder / version
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM busybox\nLABEL version={version}\n")
    machine.docker("build", "-q", "-t", version, str(folder))
    reference = registry.push(version, "web")
    machine.docker("image", "rm", version)
    return reference


def where(lab: Lab) -> dict[str, str]:
    """Which machine runs which image."""
    machines = [machine for machine in lab.machines if machine.host.space.is_open]
    return {machine.name: one["Config"]["Image"] for machine in machines for one in machine.containers()}


def lose_the_one_that_runs_it(lab: Lab, image: str) -> str:
    """Cut the power of the machine that runs the image; the other worker, which never had it, is to take over."""
    [lost] = where(lab)
    [heir] = {machine.name for machine in lab.machines[1:]} - {lost}
    machines = {machine.name: machine for machine in lab.machines}
    assert machines[heir].run("docker", "image", "inspect", image).code != 0
    machines[lost].power_off()
    until(lambda: where(lab) == {heir: image}, f"the same image on {heir}")
    return lost


def test_one_sign_in_serves_every_machine_and_outlasts_the_loss_of_one(legion: Lab, registry: Registry):
    rome = legion.machines[0]
    image = publish(rome, registry, "one")
    rome.deploy(FILE.format(image=image), "shop", "--detach")
    until(lambda: "denies image" in problem(rome), "a task that says what it lacks")
    assert f"it needs a sign-in, by `gbnt registry login {registry.address}`" in problem(rome)

    wrong = sign_in(rome, registry, "not that one")
    assert (wrong.code, "does not know nero" in wrong.err) == (1, True)
    assert rome.rows("registry", "ls") == []
    right = sign_in(rome, registry, NERO.password)
    assert (right.code, right.out) == (0, f"signed in to {registry.address} as nero: every node pulls by it\n")
    told = rome.deploy(FILE.format(image=image), "shop", "--detach")
    assert "warning" not in told.err, "its digest is known now"
    until(lambda: where(legion), "a container of the private image")

    [row] = rome.rows("service", "ls")
    pinned = f"{image}@{row['digest']}"
    assert row["image"] == image
    assert list(where(legion).values()) == [pinned]
    publish(rome, registry, "two")
    lose_the_one_that_runs_it(legion, pinned)

    found = haystack(legion)
    assert [place for place, text in found.items() if any(secret in text for secret in SECRETS)] == []
    assert all(place in found for place in ("events", "ps", "rome-1/serve.log", "rome-1/state/store/gbnt.db"))


def test_docker_s_own_sign_in_goes_along_with_a_deploy_and_a_tag_that_moved_is_another_revision(
    legion: Lab, registry: Registry
):
    rome = legion.machines[0]
    image = publish(rome, registry, "one")
    rome.extra["DOCKER_CONFIG"] = str(registry.login)
    rome.bring_up(FILE.format(image=image), "shop")
    [first] = where(legion).values()
    [row] = rome.rows("registry", "ls")
    assert (row["registry"], row["stack"], row["username"]) == (registry.address, "shop", "nero")

    del rome.extra["DOCKER_CONFIG"]
    same = rome.deploy(FILE.format(image=image), "shop", "--detach")
    assert same.err == "shop: nothing to change\n"
    lost = lose_the_one_that_runs_it(legion, first)

    publish(rome, registry, "two")
    moved = rome.deploy(FILE.format(image=image), "shop", "--detach")
    assert moved.err == "shop: web updated\n"
    until(lambda: list(where(legion).values()) not in ([], [first]), "the image that the tag is now")
    found = haystack(legion)
    assert [place for place, text in found.items() if any(secret in text for secret in SECRETS)] == []
    rome.ok("node", "rm", lost, "--force")
    rome.ok("stack", "rm", "shop")
    assert rome.rows("registry", "ls") == []


def sign_in(machine: Machine, registry: Registry, password: str) -> Ended:
    words = ("registry", "login", registry.address, "--username", NERO.username, "--password-stdin")
    return machine.gbnt(*words, stdin=password)


def problem(machine: Machine) -> str:
    return "".join(row["problem"] for row in machine.rows("task", "ls"))


def haystack(lab: Lab) -> dict[str, str]:
    """All that gbnt and its engines keep, log and show, by the place."""
    rome = lab.machines[0]
    found = {
        "events": rome.ok("events", "-o", "json"),
        "inspect": rome.ok("service", "inspect", "shop/web", "-o", "json"),
        "actors": rome.ok("actor", "ls", "-o", "json"),
        "registries": rome.ok("registry", "ls", "-o", "json"),
        "ps": subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout,
    }
    for machine in lab.machines:
        files = [machine.folder / "serve.log", machine.folder / "dockerd.log", *(machine.folder / "state").rglob("*")]
        for file in files:
            if file.is_file():
                found[str(file.relative_to(lab.folder))] = file.read_bytes().decode(errors="replace")
    return found
