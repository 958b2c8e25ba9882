#!/bin/sh
# The Python environment in .venv, exactly as uv.lock pins it. Arguments go to `uv sync`.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

have python3 || install_packages "Gubernator" python3

if ! uv --version >/dev/null 2>&1; then
    # Debian's python3 comes without ensurepip, and then cannot make an environment with pip in it.
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages "the Python environment" python3-venv
    say "installing uv into .tools"
    python3 -m venv .tools
    .tools/bin/pip install --quiet --disable-pip-version-check uv
fi

if ! uv python find '>=3.11' >/dev/null 2>&1; then
    install_packages "Gubernator needs Python 3.11 or later; the environment" python3.11
fi

say "bringing $VENV to what uv.lock pins"
# Compiled once here, not by each command that finds nothing compiled: that costs it half a second.
uv sync --quiet --frozen --inexact --compile-bytecode "$@"
