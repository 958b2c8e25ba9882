#!/bin/sh
# The long forms of the tests. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/setup.sh
scripts/test-parts.sh
as_root env ${CI:+"CI=$CI"} "$VENV/bin/pytest" -m soak --timeout 0 --hypothesis-profile soak "$@"
