#!/bin/sh
# Build gbnt's own image. TAG names it (gbnt:latest), BASE overrides what it is built on; arguments go to `docker build`.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/engine.sh
# The classic builder is in every engine; BuildKit needs a plug-in that Debian's package lacks.
export DOCKER_BUILDKIT=0
engine build --network host ${BASE:+--build-arg "BASE=$BASE"} --tag "${TAG:-gbnt:latest}" "$@" .
