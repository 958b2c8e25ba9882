"""gbnt's own image, built once for all who look at it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.repository.tree import ROOT


def run(*command: str, **environment: str) -> str:
    """Run a command that has to succeed, at the checkout's top; what it printed."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    name = f"gbnt-test:{uuid4().hex[:8]}"
    run("scripts/base-image.sh")
    run("scripts/image.sh", TAG=name, BASE="gbnt-base")
    yield name
    run("docker", "image", "rm", name)


@pytest.fixture(scope="session")
def systemd_image(image: str) -> Iterator[str]:
    """An image with this gbnt, whose first process is systemd."""
    name = f"{image}-systemd"
    run("scripts/systemd-image.sh", TAG=name, GBNT=image)
    yield name
    run("docker", "image", "rm", name)
