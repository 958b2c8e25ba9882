#!/bin/sh
# What the tests need beyond what gbnt needs: a registry to pull from, shells, a reader of their scripts, what makes a base for
# gbnt's own image, a firewall, a judge of metrics, a browser, and what the lab's network is made of.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

if ! have docker-registry; then
    install_packages "tests of pulling" docker-registry
    # Only the program is wanted: the tests start their own on ports of their own.
    [ ! -d /run/systemd/system ] || as_root systemctl disable --now --quiet docker-registry
fi
have zsh || install_packages "tests of completion" zsh
have fish || install_packages "tests of completion" fish
have shellcheck || install_packages "tests of the scripts" shellcheck
[ -x /usr/sbin/ufw ] || install_packages "tests of firewalls" ufw # which lets everything in until it is enabled
have chromium-headless-shell || install_packages "tests in a browser" chromium-headless-shell
have debootstrap || install_packages "tests of gbnt's image" debootstrap
if ! have promtool; then
    install_packages "tests of metrics" prometheus
    [ ! -d /run/systemd/system ] || as_root systemctl disable --now --quiet prometheus # promtool is what is wanted
fi
scripts/lab-parts.sh
