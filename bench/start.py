"""How long a person waits for a command that asks nobody. The floor is the interpreter doing nothing."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.figures import Goal, median, report
from bench.manager import PROGRAM

RUNS = 15


def run() -> None:
    """Measure each, interleaved with the floor."""
    commands = {
        "floor": [sys.executable, "-I", "-c", ""],
        "version": [*PROGRAM, "version"],
        "help": [*PROGRAM, "--help"],
        "dry_run": [*PROGRAM, "stack", "deploy", "-c", "examples/hello/compose.yaml", "--dry-run"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(RUNS + 1):
        for name, command in commands.items():
            begun = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if turn:  # the first one warms the file cache up
                taken[name].append(time.perf_counter() - begun)
    floor = median(taken["floor"])
    for name, goal in (("version", 0.1), ("help", 0.05), ("dry_run", 0.2)):
        seconds = median(taken[name])
        report(f"start.{name}", "seconds", seconds, "s", Goal("<=", goal), ours=seconds, floor=floor, runs=RUNS)
