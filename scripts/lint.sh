#!/bin/sh
# What can be judged without running it: format, lint, types, import rules.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/python.sh
PATH=$PWD/$VENV/bin:$PATH

say "format and lint"
ruff format --check --quiet .
ruff check --quiet .
say "types"
mypy
say "import rules"
lint-imports
