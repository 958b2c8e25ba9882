"""`python -m bench [NAME ...]`: run all benchmarks, or those whose names begin so; one JSON line a figure."""

from __future__ import annotations

import importlib
import sys

BENCHES = {
    "actors": "bench.actors",
    "transport": "bench.transport",
    "start": "bench.start",
    "api": "bench.api",
    "compose": "bench.compose",
    "placement": "bench.placement",
    "deploy.one_engine": "bench.deploy",
    "deploy.three_engines": "bench.deploy_three",
    "crash": "bench.crash",
    "node_loss": "bench.node_loss",
    "idle": "bench.idle",
    "impossible": "bench.impossible",
}


def main(names: list[str]) -> int:
    """Run them; 2 for a name that is none."""
    unknown = [name for name in names if not any(_meant(name, known) for known in BENCHES)]
    if unknown:
        print(f"error: no benchmark {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for known, module in BENCHES.items():
        if not names or any(_meant(name, known) for name in names):
            importlib.import_module(module).run()
    return 0


def _meant(name: str, known: str) -> bool:
    """A name may be that of one figure of a benchmark, or the beginning of several."""
    return f"{known}.".startswith(f"{name}.") or name.startswith(f"{known}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
