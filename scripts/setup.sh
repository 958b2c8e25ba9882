#!/bin/sh
# Everything that `make up` and `make test` need: the engine, the image, the Python environment. Installs what is
# missing, says so, and changes nothing when all is there.
set -eu
cd "$(dirname "$0")/.."

scripts/engine.sh
scripts/images.sh
scripts/python.sh
