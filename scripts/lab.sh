#!/bin/sh
# The lab: machines with a network card, an engine and gbnt each, all on this one. `scripts/lab.sh --help` says what can be
# done with them.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

if [ "${1:-}" = up ]; then
    scripts/setup.sh
    scripts/lab-parts.sh
fi
[ -x "$VENV/bin/python" ] || die "there is no lab here; make lab NODES=3 starts one"
as_root env "PATH=$PATH:/usr/sbin:/sbin" "$VENV/bin/python" -m tests.lab "$@"
