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
# engine, and all that needs nothing but a processor fills what both leave of it, simulations first.
mkdir -p "$STATE"
started=""

beside() { # NAME COMMAND...: in the background; what it prints is in a log of that name, for the end
    name=$1
    shift
    "$@" >"$STATE/$name.log" 2>&1 &
    started="$started $name:$!"
}

without_engine() {
    failed=0
    run nice -n 10 "$VENV/bin/pytest" -m "not soak" -p no:cacheprovider tests/sim || failed=1
    run nice -n 10 "$VENV/bin/pytest" -m "not engine and not slow and not soak" -p no:cacheprovider --ignore=tests/sim ||
        failed=1
    return "$failed"
}

with_engine() { run "$VENV/bin/pytest" -m "(engine or slow) and not soak" --durations=15 "$@"; }

say "tests: on machines of their own and without an engine (logs: $STATE/*.log), and here those on this machine's engine"
beside machines with_engine -p no:cacheprovider tests/lab tests/examples
beside without-engine without_engine
failed=0
with_engine --ignore=tests/sim --ignore=tests/lab --ignore=tests/examples || failed=1
for one in $started; do
    say "tests: ${one%:*}"
    wait "${one#*:}" || failed=1
    cat "$STATE/${one%:*}.log"
done
exit "$failed"
