"""What `gbnt serve` and its resolver cost while nothing happens, with thirty containers: memory (PSS) and CPU."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.deploy import COMPOSE, COUNT
from bench.figures import Goal, report
from bench.manager import manager

SETTLE, WATCH = 10.0, 60.0


def run() -> None:
    """Watch the manager and its resolver for a minute."""
    with manager() as cluster:
        file = cluster.folder / "compose.yaml"
        file.write_text(COMPOSE.format(replicas=f"    deploy: {{replicas: {COUNT}}}"))
        cluster.gbnt("stack", "deploy", "-c", str(file), "bench")
        assert cluster.process is not None
        serve = cluster.process.pid
        resolver = next(_resolvers(cluster.folder / "data"))
        time.sleep(SETTLE)
        before = {pid: _cpu_seconds(pid) for pid in (serve, resolver)}
        time.sleep(WATCH)
        for name, pid in (("serve", serve), ("resolver", resolver)):
            share = (_cpu_seconds(pid) - before[pid]) / WATCH * 100
            goals = (Goal("<=", 100), Goal("<=", 1)) if name == "serve" else (None, None)
            report(f"idle.{name}", "pss", _pss_megabytes(pid), "MB", goals[0], ours=_pss_megabytes(pid))
            report(f"idle.{name}", "cpu", share, "% of a core", goals[1], ours=share)


def _resolvers(data: Path) -> Iterator[int]:
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"resolver" in words and str(data).encode() in b" ".join(words):
                yield int(process.name)


def _pss_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
