#!/bin/sh
# The whole test suite but its long forms, which `make soak` runs. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/setup.sh
scripts/test-parts.sh

run() { as_root env ${CI:+"CI=$CI"} PYTHONHASHSEED="${PYTHONHASHSEED:-0}" "$@"; }

if [ $# -gt 0 ]; then
    say "tests"
    run "$VENV/bin/pytest" -m "not soak" "$@"
    exit
fi

# The others mostly wait for engines and processes: the simulations, which need nothing but a processor, go on meanwhile.
say "tests, and the simulations beside them (log: $STATE/simulations.log)"
mkdir -p "$STATE"
run nice -n 10 "$VENV/bin/pytest" -m "not soak" -p no:cacheprovider tests/sim >"$STATE/simulations.log" 2>&1 &
simulations=$!
failed=0
run "$VENV/bin/pytest" -m "not soak" --ignore=tests/sim || failed=1
say "the simulations"
wait "$simulations" || failed=1
cat "$STATE/simulations.log"
exit "$failed"
