"""The images of the examples: built on this machine's engine, which keeps them for the next time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import yaml

from tests.engine.registry import Registry
from tests.repository.tree import ROOT

EXAMPLES = ROOT / "examples"
# As many at a time: most of a build is one process that unpacks.
AT_ONCE = 2
T = TypeVar("T")


def folders(examples: Iterable[str]) -> dict[str, Path]:
    """The names of the images that these examples build, and what each is built from."""
    found = {}
    for file in (EXAMPLES / name / "compose.yaml" for name in sorted(examples)):
        for service in yaml.safe_load(file.read_text())["services"].values():
            if "build" in service:
                found[service["image"].partition("}/")[2]] = (file.parent / service["build"]).resolve()
    return found


def build(examples: Iterable[str]) -> None:
    """Build them, on a Debian that is made of Debian's packages where there is none."""
    subprocess.run([ROOT / "scripts" / "debian-image.sh"], check=True)
    _each(_build, folders(examples).items())


def publish(folder: Path, examples: Iterable[str]) -> None:
    """Put them into the folder of a registry."""
    with Registry.serving(folder) as registry:
        _each(lambda name: registry.push(f"gbnt-examples/{name}", name), folders(examples))


def _build(named: tuple[str, Path]) -> None:
    name, folder = named
    words = ("docker", "build", "--tag", f"gbnt-examples/{name}", str(folder))
    # The classic builder is in every engine; BuildKit needs a plug-in that Debian's package lacks.
    ended = subprocess.run(words, env={**os.environ, "DOCKER_BUILDKIT": "0"}, capture_output=True, text=True)
    assert ended.returncode == 0, f"{' '.join(words)}: {ended.stdout[-2000:]}{ended.stderr[-2000:]}"


def _each(act: Callable[[T], object], all_of_them: Iterable[T]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(act, all_of_them))
