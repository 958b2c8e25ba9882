#!/bin/sh
# The long forms of the tests. Arguments go to pytest. GBNT_SEEDS=2000:4000 takes those of each simulation's seeds, so
# that several machines can share them; GBNT_SEEDS=7 takes that one.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/setup.sh
scripts/test-parts.sh
as_root env ${CI:+"CI=$CI"} ${GBNT_SEEDS:+"GBNT_SEEDS=$GBNT_SEEDS"} PYTHONHASHSEED="${PYTHONHASHSEED:-0}" \
    "$VENV/bin/pytest" -m soak --timeout 0 --hypothesis-profile soak "$@"
