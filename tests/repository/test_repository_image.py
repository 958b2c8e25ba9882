"""gbnt's own image, on a base that is made from Debian's packages."""

import json
import os
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import pytest

from gubernator import __version__
from tests.repository.tree import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    name = f"gbnt-test:{uuid4().hex[:8]}"
    run("scripts/base-image.sh")
    run("scripts/image.sh", TAG=name, BASE="gbnt-base")
    yield name
    run("docker", "image", "rm", name)


def test_the_image_runs_gbnt(image):
    assert run("docker", "run", "--rm", image, "version") == f"gbnt {__version__}\n"


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
