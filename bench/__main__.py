"""`python -m bench [NAME ...]`: run all benchmarks, or those whose names begin so; one JSON line a figure."""

from __future__ import annotations

import importlib
import sys

BENCHES = {
    "actors": "bench.actors",
    "transport": "bench.transport",
    "start": "bench.start",
    "deploy": "bench.deploy",
    "crash": "bench.crash",
    "idle": "bench.idle",
}


def main(names: list[str]) -> int:
    """Run them; 2 for a name that is none."""
    unknown = [name for name in names if not any(known.startswith(name.partition(".")[0]) for known in BENCHES)]
    if unknown:
        print(f"error: no benchmark {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for known, module in BENCHES.items():
        if not names or any(known.startswith(name.partition(".")[0]) for name in names):
            importlib.import_module(module).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
