#!/bin/sh
# End what `make up` began: the example's containers, then the manager. Its volumes and the manager's state stay.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

[ -x "$VENV/bin/gbnt" ] || die "nothing is set up here; make up starts it"

if gbnt health >/dev/null 2>&1; then
    say "removing the stack hello"
    gbnt stack rm hello || say "there was no stack hello to remove"
else
    say "no manager answers"
fi
stop_manager
