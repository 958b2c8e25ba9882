#!/bin/sh
# Measure ours, the peer and the floor in one run, one JSON line a figure. ONLY=name takes one benchmark.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/setup.sh >&2
scripts/python.sh --group bench >&2
have docker-compose || install_packages "the peer of the deploy benchmark" docker-compose >&2
as_root "$VENV/bin/python" -m bench ${ONLY:+"$ONLY"}
