#!/bin/sh
# Docker Engine, from the distribution, running. An engine that already answers is left as it is, whoever made it.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

install_engine() {
    # The daemons live in /usr/sbin, which is not on every user's path.
    PATH=$PATH:/usr/sbin:/sbin
    missing=
    have dockerd || missing="$missing docker.io"
    have iptables || missing="$missing iptables"
    # shellcheck disable=SC2086 # a list of words
    [ -z "$missing" ] || install_packages "the container engine" $missing
    # Debian 13 keeps the client in a package of its own.
    have docker || install_packages "the container engine's client" docker-cli
}

start_engine() {
    if [ -d /run/systemd/system ]; then
        say "starting Docker Engine with systemctl"
        as_root systemctl start docker
    else
        mkdir -p "$STATE"
        say "starting Docker Engine in the background: no init system runs here (log: $STATE/dockerd.log)"
        as_root sh -c "exec setsid dockerd </dev/null >>'$STATE/dockerd.log' 2>&1 &"
    fi
}

if ! engine_answers; then
    install_engine
    # Installing the package starts the engine where an init system runs.
    engine_answers || start_engine
    wait_until 60 engine_answers || {
        [ ! -e "$STATE/dockerd.log" ] || tail -n 20 "$STATE/dockerd.log" >&2
        die "Docker Engine did not answer within 60 s"
    }
fi
