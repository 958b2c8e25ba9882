"""Releases of gbnt beside the working tree: what an upgrade puts in the place of another."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

from tests.lab.machine import Machine
from tests.lab.switch import ROOT


def release(folder: Path, version: str, resolver: int) -> Path:
    """A folder to import gbnt from, which calls itself by that version; `resolver` is that of its resolver."""
    made = folder / version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name in project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]:
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    _set(made / "gubernator" / "__init__.py", r'__version__ = ".*"', f'__version__ = "{version}"')
    _set(made / "network" / "resolver" / "terms.py", r"VERSION = \d+", f"VERSION = {resolver}")
    return made


def install(machine: Machine, made: Path) -> None:
    """Have the next gbnt of a machine be of that release, at the same place as the one before."""
    place, next_ = machine.folder / "gbnt", machine.folder / "gbnt.next"
    next_.symlink_to(made)
    next_.replace(place)
    machine.extra["PYTHONPATH"] = str(place)


def _set(file: Path, pattern: str, line: str) -> None:
    text, found = re.subn(f"^{pattern}", line, file.read_text(), flags=re.MULTILINE)
    assert found == 1, f"{file} has no line {pattern}"
    file.write_text(text)
