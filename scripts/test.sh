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

# Those with engines mostly wait for these: all that needs nothing but a processor goes on meanwhile, simulations first.
say "tests with engines, and the others beside them (log: $STATE/others.log)"
mkdir -p "$STATE"
(
    failed=0
    run nice -n 10 "$VENV/bin/pytest" -m "not soak" -p no:cacheprovider tests/sim || failed=1
    run nice -n 10 "$VENV/bin/pytest" -m "not engine and not slow and not soak" -p no:cacheprovider --ignore=tests/sim ||
        failed=1
    exit "$failed"
) >"$STATE/others.log" 2>&1 &
others=$!
failed=0
run "$VENV/bin/pytest" -m "(engine or slow) and not soak" --ignore=tests/sim || failed=1
say "the others"
wait "$others" || failed=1
cat "$STATE/others.log"
exit "$failed"
