"""The kernel's features, by whatever this machine shows of them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from cli.doctor.facts import Kernel
from cli.doctor.finding import Unseen


def kernel(root: Path = Path("/")) -> Kernel:
    """The running kernel; `root` is where the machine's file system begins."""
    release = os.uname().release
    folder = root / "lib/modules" / release
    return Kernel(
        release=release,
        present=_present(root),
        config=_config(root, release),
        builtin=_modules(folder / "modules.builtin"),
        loadable=_modules(folder / "modules.dep"),
        forwards=_forwards(root / "proc/sys/net/ipv4/ip_forward"),
    )


def _present(root: Path) -> frozenset[str]:
    seen = {path.name for path in (root / "sys/module").glob("*")}
    if (root / "proc/sys/net/bridge").is_dir():
        seen.add("br_netfilter")
    if "\toverlay\n" in _text(root / "proc/filesystems"):
        seen.add("overlay")
    return frozenset(seen)


def _config(root: Path, release: str) -> dict[str, str] | None:
    try:
        text = gzip.decompress((root / "proc/config.gz").read_bytes()).decode()
    except OSError:
        text = _text(root / "boot" / f"config-{release}")
    options = (line.partition("=") for line in text.splitlines() if line.startswith("CONFIG_"))
    return {name: value for name, _, value in options} or None


def _modules(path: Path) -> frozenset[str] | None:
    """The names in a list of modules, one at the beginning of each line: `kernel/drivers/net/vxlan.ko.xz: …`."""
    lines = _text(path).splitlines()
    names = (line.partition(":")[0].rpartition("/")[2].partition(".ko")[0].replace("-", "_") for line in lines)
    return frozenset(names) if lines else None


def _forwards(path: Path) -> bool | Unseen:
    try:
        return path.read_text().strip() != "0"
    except OSError as error:
        return Unseen(f"{path}: {error.strerror}")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
