#!/bin/sh
# The base of gbnt's own image where no public registry is reached: Debian 12's python3, under the name gbnt-base. Pass
# it on as `docker build --build-arg BASE=gbnt-base`.
set -eu
cd "$(dirname "$0")/.."

scripts/debian-image.sh gbnt-base:latest python3 python3-venv
