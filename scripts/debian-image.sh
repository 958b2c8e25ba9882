#!/bin/sh
# A small Debian 12 as an image, from Debian's packages, where no public registry is reached. `scripts/debian-image.sh
# IMAGE PACKAGE...` names it, and the packages that are in it beyond the least; without them it is `debian:bookworm-slim`,
# what the examples are built on. An image of that name that is already here is left as it is. Takes half a minute.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

IMAGE=${1:-debian:bookworm-slim}
[ $# -eq 0 ] || shift
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

! engine image inspect "$IMAGE" >/dev/null 2>&1 || exit 0

have debootstrap || install_packages "the image $IMAGE" debootstrap
say "making the image $IMAGE from Debian's packages"
root=$(mktemp -d)
trap 'as_root rm -rf "$root"' EXIT
as_root debootstrap --variant=minbase --include="$(printf '%s,' ca-certificates "$@")" \
    bookworm "$root" "$MIRROR" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    die "debootstrap failed; its log: $root.log"
}
rm -f "$root.log"
# Behind a proxy that inspects, a build must trust what this machine trusts.
as_root cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
# What is installed on top of it leaves nothing but itself: no pages, no packages, no index of them. Nor does it wait for
# the disk, for a build that broke off is thrown away whole.
as_root tee "$root/etc/dpkg/dpkg.cfg.d/image" >/dev/null <<'DPKG'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
DPKG
as_root tee "$root/etc/apt/apt.conf.d/image" >/dev/null <<'APT'
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };
APT
as_root rm -rf "$root/var/cache/apt" "$root/var/lib/apt/lists" "$root/usr/share/doc" "$root/usr/share/locale"
as_root tar -C "$root" -c . | engine import -c 'CMD ["bash"]' - "$IMAGE" >/dev/null
