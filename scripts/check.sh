#!/bin/sh
# What must be right before a commit: what scripts/lint.sh judges, and the tests that take no engine and no time.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/lint.sh
say "fast tests"
"$VENV/bin/pytest" -q -m "not engine and not slow and not soak"
