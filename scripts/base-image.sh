#!/bin/sh
# The base of gbnt's own image where no public registry is reached: Debian 12's python3, from Debian's packages, under
# the name gbnt-base. Pass it on as `docker build --build-arg BASE=gbnt-base`. Takes half a minute once.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

IMAGE=gbnt-base:latest
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

! engine image inspect "$IMAGE" >/dev/null 2>&1 || exit 0

have debootstrap || install_packages "the base of gbnt's image" debootstrap
say "making the image $IMAGE from Debian's packages"
root=$(mktemp -d)
trap 'as_root rm -rf "$root"' EXIT
as_root debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv \
    bookworm "$root" "$MIRROR" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    die "debootstrap failed; its log: $root.log"
}
rm -f "$root.log"
# Behind a proxy that inspects, a build must trust what this machine trusts.
as_root cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
as_root rm -rf "$root/var/cache/apt" "$root/var/lib/apt/lists" "$root/usr/share/doc" "$root/usr/share/locale"
as_root tar -C "$root" -c . | engine import -c 'CMD ["python3"]' - "$IMAGE" >/dev/null
