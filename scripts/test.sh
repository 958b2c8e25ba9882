#!/bin/sh
# The whole test suite but its long forms, which `make soak` runs. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/setup.sh
scripts/test-parts.sh

say "tests"
as_root env ${CI:+"CI=$CI"} PYTHONHASHSEED="${PYTHONHASHSEED:-0}" "$VENV/bin/pytest" -m "not soak" "$@"
