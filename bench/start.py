"""How long a person waits for `gbnt version` and `gbnt --help`. The floor is the interpreter doing nothing."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.figures import Goal, median, report
from bench.manager import PROGRAM

RUNS = 15


def run() -> None:
    """Measure both, interleaved with the floor."""
    commands = {
        "floor": [sys.executable, "-I", "-c", ""],
        "version": [*PROGRAM, "version"],
        "help": [*PROGRAM, "--help"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(RUNS + 1):
        for name, command in commands.items():
            begun = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if turn:  # the first one warms the file cache up
                taken[name].append(time.perf_counter() - begun)
    floor = median(taken["floor"])
    for name, goal in (("version", 0.1), ("help", 0.2)):
        seconds = median(taken[name])
        report(f"start.{name}", "seconds", seconds, "s", Goal("<=", goal), ours=seconds, floor=floor, runs=RUNS)
