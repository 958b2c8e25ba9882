#!/bin/sh
# mirror.sh FROM TO: keep a copy of a repository, and bring it up to date every two seconds.
set -eu

[ -e "$2" ] || { git clone --quiet --mirror "$1" "$2.new" && mv "$2.new" "$2"; }
while sleep 2; do
    git -C "$2" fetch --quiet --prune || echo "$1 cannot be reached now; trying again"
done
