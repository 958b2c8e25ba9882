#!/bin/sh
# From a checkout to a page: set up, start a manager in the background, deploy examples/hello and show it.
# Run again, it adopts what runs. HELLO_PORT is the page's port (8080).
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/setup.sh

HELLO_PORT=${HELLO_PORT:-8080}
mkdir -p "$STATE"

if gbnt health >/dev/null 2>&1; then
    say "a manager runs here already"
else
    say "starting gbnt serve in the background (state and log: $STATE/)"
    start_manager
    wait_until 30 gbnt health || {
        tail -n 20 "$STATE/serve.log" >&2
        die "the manager did not become healthy within 30 s"
    }
fi

say "deploying examples/hello"
gbnt stack deploy -c examples/hello/compose.yaml
gbnt stack ps hello

page=http://127.0.0.1:$HELLO_PORT/
say "the page at $page begins:"
first_lines "$page"
say "more: $VENV/bin/gbnt --help; to end it: make down"
