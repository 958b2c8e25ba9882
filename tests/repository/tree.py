"""The checkout as the tests of this folder see it."""

import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOT_CODE = {"tests", "bench", "docs", "examples", "scripts", "web"}


def tracked() -> list[Path]:
    """Every file that git would carry, the ones not yet added with them; paths are relative to the checkout's top."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    paths = (Path(name) for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if (ROOT / path).is_file()]


def modules() -> list[Path]:
    """The Python modules of the program itself, relative to the checkout's top."""
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] not in NOT_CODE]


def folders() -> set[str]:
    """The top folders that hold the program's code."""
    return {path.parts[0] for path in modules()}


def pyproject() -> Mapping[str, Any]:
    """The contents of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())
