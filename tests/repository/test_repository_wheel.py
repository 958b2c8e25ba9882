"""The wheel: it holds every module, owns one name in site-packages, and runs beside PyPI's `supervisor`."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gubernator import __version__
from tests.e2e.node import node
from tests.repository.tree import ROOT, modules

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def uv(*arguments: str | Path) -> None:
    program = ROOT / ".tools/bin/uv"
    command = program if program.exists() else shutil.which("uv")
    assert command, "uv is not installed; `make setup` installs it"
    # The checkout's own environment must not be taken for the one that a test names.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run([command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution as a packager would."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--out-dir", folder)
    assert len(list(folder.glob("*.tar.gz"))) == 1
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with PyPI's `supervisor` first and the wheel beside it."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    uv("venv", "--quiet", "--python", sys.executable, folder)
    uv("pip", "install", "--quiet", "--python", folder, "supervisor")
    uv("pip", "install", "--quiet", "--python", folder, wheel)
    return folder


def test_the_wheel_holds_every_module(wheel):
    carried = {path if path.parts[0] == "gubernator" else Path("gubernator/app") / path for path in modules()}
    assert {str(path) for path in carried} - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_owns_one_name(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"gubernator", f"gubernator-{__version__}.dist-info"}


@pytest.mark.engine
def test_the_installed_gbnt_serves_and_deploys_a_stack(environment, tmp_path):
    gbnt = str(environment / "bin/gbnt")
    (tmp_path / "gubernator").mkdir()
    (tmp_path / "gubernator/__init__.py").write_text("raise ImportError('what lies in the present folder is no gbnt')")
    with node(program=(gbnt, "serve"), client=(gbnt,), cwd=tmp_path) as one:
        one.start()
        told = one.deploy("services: {web: {image: busybox, command: [sleep, '1000'], init: true}}", "wheeled")
        assert told.code == 0, told.text
        (web,) = one.containers()
        assert one.resolve("wheeled_default", "web") == [
            web["NetworkSettings"]["Networks"]["wheeled_default"]["IPAddress"]
        ]


def test_gbnt_runs_beside_a_package_called_supervisor_and_after_it_has_gone(environment, tmp_path):
    gbnt, python = environment / "bin/gbnt", environment / "bin/python"

    assert run(gbnt, "version", cwd=tmp_path) == f"gbnt {__version__}\n"
    assert "gbnt serve" in run(gbnt, "serve", "--help", cwd=tmp_path)
    assert run(python, "-m", "gubernator", "--version", cwd=tmp_path) == f"gbnt {__version__}\n"

    uv("pip", "uninstall", "--quiet", "--python", environment, "supervisor")

    assert run(gbnt, "version", cwd=tmp_path) == f"gbnt {__version__}\n"
    assert "gbnt serve" in run(gbnt, "serve", "--help", cwd=tmp_path)


def test_every_module_of_the_wheel_can_be_imported(environment, tmp_path):
    names = [_dotted(path) for path in modules() if path.parts[0] != "gubernator"]
    program = "\n".join(
        [
            "import importlib, sys",
            "from gubernator.__main__ import _home",
            "sys.path.insert(0, _home())",
            f"for name in {names!r}: importlib.import_module(name)",
        ]
    )
    run(environment / "bin/python", "-c", program, cwd=tmp_path)


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
