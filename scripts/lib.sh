# shellcheck shell=sh disable=SC2034 # the variables are for the scripts that source this
# What the scripts share. Sourced with the working directory at the checkout's top.

VENV=.venv
STATE=.run # logs and process ids of what the scripts start; not in git

export UV_PYTHON_DOWNLOADS=never # the distribution's interpreter, or one that is already here
unset PYTHONDONTWRITEBYTECODE    # gbnt starts hundreds of times in the tests: half a second each if never compiled

say() { printf '%s\n' "==> $*"; }

die() {
    printf '%s\n' "error: $*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Run a command as root. Without root and without sudo there is nothing to try.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "this needs root: $* (run it as root, or install sudo)"
    fi
}

# The docker command, as root where this user may not open the engine's socket.
engine() {
    if [ -w /var/run/docker.sock ]; then docker "$@"; else as_root docker "$@"; fi
}

# In a shell of its own: a refusal of as_root is an answer here, not an end.
engine_answers() { have docker && (engine version) >/dev/null 2>&1; }

# wait_until SECONDS COMMAND...: try the command until it succeeds; fails when the time is up.
wait_until() {
    deadline=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# install_packages WHY PACKAGE...: from the distribution, saying what and why.
install_packages() {
    why=$1
    shift
    have apt-get || die "$why needs: $* (only apt-get is known here; install them by hand and run this again)"
    say "$why: installing $* with apt-get"
    if [ -z "${packages_updated:-}" ]; then
        as_root apt-get update -qq
        packages_updated=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "$@" >/dev/null
}

# The first uv that there is: this user's, or the one in .tools that scripts/python.sh installs.
uv() {
    if [ -x .tools/bin/uv ]; then .tools/bin/uv "$@"; else command uv "$@"; fi
}

# Whether the manager that `make up` started runs: a number can have passed to another process since.
our_manager_runs() {
    [ -e "$STATE/serve.pid" ] && tr '\0' ' ' <"/proc/$(cat "$STATE/serve.pid")/cmdline" 2>/dev/null | grep -q 'gbnt serve'
}

# gbnt opens the engine's socket, binds ports and sets addresses: it runs as root, and so do its commands here. They
# mean the manager that `make up` started, whatever contexts this user has; where none was, that of the context.
gbnt() {
    if our_manager_runs; then
        set -- "GBNTCTL_CONFIG=$PWD/$STATE/no-contexts" "GBNT_DATA_DIR=$PWD/$STATE/node" "$VENV/bin/gbnt" "$@"
    else
        set -- "$VENV/bin/gbnt" "$@"
    fi
    as_root env ${HELLO_PORT:+"HELLO_PORT=$HELLO_PORT"} "$@"
}

# Start the manager that `make up` and `make down` mean; its process id is left in $STATE/serve.pid.
start_manager() {
    as_root sh -c "
        setsid '$VENV/bin/gbnt' serve --data-dir '$PWD/$STATE/node' </dev/null >>'$STATE/serve.log' 2>&1 &
        echo \$! >'$STATE/serve.pid'"
}

manager_gone() { ! as_root kill -0 "$1" 2>/dev/null; }

# Stop the manager that start_manager started, if it still runs.
stop_manager() {
    [ -e "$STATE/serve.pid" ] || return 0
    if our_manager_runs; then
        pid=$(cat "$STATE/serve.pid")
        say "stopping gbnt serve (process $pid)"
        as_root kill "$pid"
        wait_until 30 manager_gone "$pid" || die "gbnt serve did not end within 30 s; its log: $STATE/serve.log"
    fi
    as_root rm -f "$STATE/serve.pid"
    # It outlives gbnt, so that names resolve while gbnt is replaced; here nothing is to be left.
    gbnt resolver --stop --runtime-dir "$STATE/node/run"
}

# Print the first lines of a page. With Python: a fresh machine has neither curl nor wget.
first_lines() {
    "$VENV/bin/python" - "$1" <<'PYTHON'
import sys
from urllib.request import urlopen

with urlopen(sys.argv[1], timeout=5) as page:
    print(page.read(240).decode(errors="replace"))
PYTHON
}
