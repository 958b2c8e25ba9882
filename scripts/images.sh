#!/bin/sh
# The image that the example and the tests run: `busybox`, made from the distribution's package, so that no registry
# has to be reached. A busybox image that is already here is left as it is.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

IMAGE=busybox:latest

is_static() { [ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1; }

if ! engine image inspect "$IMAGE" >/dev/null 2>&1; then
    is_static || install_packages "the image of the example and the tests" busybox-static
    say "making the image $IMAGE from the package busybox-static"
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    mkdir -p "$root/bin" "$root/tmp"
    chmod 1777 "$root/tmp"
    cp /bin/busybox "$root/bin/busybox"
    (cd "$root/bin" && for applet in $(./busybox --list); do [ -e "$applet" ] || ln -s busybox "$applet"; done)
    tar -C "$root" -c . | engine import -c 'CMD ["sh"]' - "$IMAGE" >/dev/null
fi
