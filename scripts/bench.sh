#!/bin/sh
# Measure ours, the peer and the floor in one run, one JSON line a figure. ONLY=name takes one benchmark.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/setup.sh >&2
scripts/python.sh --group bench >&2
scripts/lab-parts.sh >&2
have docker-compose || install_packages "the peer of the deploy benchmark" docker-compose >&2
unset PYTHONDONTWRITEBYTECODE # with it every command would be compiled anew, which is not what people run
as_root env "PATH=$PATH:/usr/sbin:/sbin" "$VENV/bin/python" -m bench ${ONLY:+"$ONLY"}
