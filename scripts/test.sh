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

# Tests with engines mostly wait for these. So those with machines of their own go on beside those on this machine's
# engine, and what needs nothing but a processor fills what both leave of it: simulations from the beginning, and the
# rest once the first are through.
with_machines() {
    failed=0
    with_engine -p no:cacheprovider tests/lab tests/examples || failed=1
    run "$VENV/bin/pytest" -m "not engine and not slow and not soak" -p no:cacheprovider --durations=15 --ignore=tests/sim ||
        failed=1
    return "$failed"
}

simulated() { run nice -n 10 "$VENV/bin/pytest" -m "not soak" -p no:cacheprovider tests/sim; }

with_engine() { run "$VENV/bin/pytest" -m "(engine or slow) and not soak" --durations=15 "$@"; }

ended() { # PID NAME: whether what runs under that number ended well, with what it printed
    say "tests: $2"
    ended=0
    wait "$1" || ended=1
    cat "$STATE/$2.log"
    return "$ended"
}

mkdir -p "$STATE"
say "tests: on machines of their own and simulations (logs: $STATE/*.log), and here those on this machine's engine"
with_machines >"$STATE/machines.log" 2>&1 &
machines=$!
simulated >"$STATE/simulated.log" 2>&1 &
simulations=$!
failed=0
with_engine --ignore=tests/sim --ignore=tests/lab --ignore=tests/examples || failed=1
ended "$machines" machines || failed=1
ended "$simulations" simulated || failed=1
exit "$failed"
