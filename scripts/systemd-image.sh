#!/bin/sh
# The image of a machine that systemd runs, for the tests: Debian's systemd on gbnt-base (made once, under the name
# gbnt-systemd), and gbnt out of its own image. TAG names the result, GBNT is gbnt's image.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

BASE=gbnt-systemd:latest
export DOCKER_BUILDKIT=0

if ! engine image inspect "$BASE" >/dev/null 2>&1; then
    scripts/base-image.sh
    say "making the image $BASE from Debian's packages"
    engine build --quiet --network host --tag "$BASE" - <<'DOCKERFILE' >/dev/null
FROM gbnt-base
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends dbus systemd >/dev/null \
 && rm -rf /var/cache/apt /var/lib/apt/lists \
 && systemctl mask getty.target systemd-logind.service systemd-remount-fs.service timers.target
# By this systemd knows that not all of the machine is its own.
ENV container=docker
STOPSIGNAL SIGRTMIN+3
# Where there is but one hierarchy of cgroups the engine mounts it read-only.
CMD [ ! -e /sys/fs/cgroup/cgroup.controllers ] || mount -o remount,rw /sys/fs/cgroup; exec /lib/systemd/systemd
DOCKERFILE
fi

engine build --quiet --build-arg "GBNT=$GBNT" --tag "$TAG" - <<'DOCKERFILE' >/dev/null
ARG GBNT
FROM ${GBNT} AS gbnt
FROM gbnt-systemd
COPY --from=gbnt /opt/gbnt /opt/gbnt
RUN ln -s /opt/gbnt/bin/gbnt /usr/local/bin/gbnt
DOCKERFILE
