"""gbnt's own image, on a base that is made from Debian's packages."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from gubernator import __version__
from tests.e2e.configs import container_of, deploy, read, reader
from tests.e2e.node import Node, node, until
from tests.repository.conftest import run

INSIDE = "/var/lib/gbnt"

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]


def test_the_image_runs_gbnt(image):
    assert run("docker", "run", "--rm", image, "version") == f"gbnt {__version__}\n"


@pytest.fixture
def contained(image: str) -> Iterator[tuple[Node, str]]:
    """A node whose manager and resolver run in a container each, as documented, and the name of the manager's.

    Its data directory has another path there than on the machine.
    """
    with node() as one:
        name = one.folder.name
        one.data.mkdir(mode=0o700)
        kept = (f"GBNT_DATA_DIR={INSIDE}", "GBNTCTL_CONFIG", "GBNT_NETWORK_POOL")
        folders = (f"{one.folder}:{one.folder}", f"{one.data}:{INSIDE}")
        shared = ("/var/run/docker.sock:/var/run/docker.sock", *folders)
        options = [word for variable in kept for word in ("--env", variable)]
        options += [word for mount in shared for word in ("--volume", mount)]
        machine = ("docker", "run", "--rm", "--init", "--network", "host", "--cap-add", "NET_ADMIN", *options)
        one.program = (*machine, "--name", name, image, "serve")
        answers = ("resolver", "--runtime-dir", f"{INSIDE}/run", "--foreground")
        run(*machine, "--detach", "--no-healthcheck", "--name", f"{name}-resolver", image, *answers, **one.environment)
        try:
            yield one, name
        finally:
            subprocess.run(["docker", "rm", "-f", name, f"{name}-resolver"], capture_output=True, check=False)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_manager_in_a_container_of_its_own_is_made_anew_and_no_task_is_restarted(contained, end):
    manager, name = contained
    manager.start()
    file = "services: {web: {image: busybox, command: [sleep, '1000'], init: true, deploy: {replicas: 3}}}"
    manager.bring_up(file, "housed")
    before = {each["Id"]: each["State"]["StartedAt"] for each in manager.containers()}
    assert len(before) == 3
    assert len(manager.resolve("housed_default", "web")) == 3
    assert "housed" in run("docker", "exec", name, "gbnt", "stack", "ls")

    run("docker", end, name)
    manager.process.wait(30)
    assert len(manager.resolve("housed_default", "web")) == 3
    manager.start()

    until(lambda: sorted(task["state"] for task in manager.rows("task", "ls")) == ["running"] * 3, "3 running tasks")
    assert {task["attempt"] for task in manager.rows("task", "ls")} == {1}
    assert {each["Id"]: each["State"]["StartedAt"] for each in manager.containers(running=False)} == before
    assert len(manager.resolve("housed_default", "web")) == 3


def test_a_config_is_mounted_from_where_the_engine_sees_it(contained):
    manager, _ = contained
    manager.start()
    deploy(manager, reader("reader", b"salve"))
    container = until(lambda: container_of(manager, "reader"), "a container that runs")
    assert read(manager, container) == "salve"
    (mount,) = json.loads(run("docker", "inspect", container))[0]["Mounts"]
    assert mount["Source"].startswith(f"{manager.data}/configs/")


def test_the_image_asks_gbnt_for_its_health_and_keeps_its_state_in_a_volume(image):
    (described,) = json.loads(run("docker", "image", "inspect", image))
    assert described["Config"]["Healthcheck"]["Test"] == ["CMD", "gbnt", "health"]
    assert list(described["Config"]["Volumes"]) == ["/var/lib/gbnt"]


@pytest.mark.parametrize("program", ["curl", "wget"])
def test_the_image_has_no_downloader(image, program):
    found = subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "/bin/sh", image, "-c", f"command -v {program}"], check=False
    )
    assert found.returncode != 0
