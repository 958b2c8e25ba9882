#!/bin/sh
# Serve the repositories; one to begin with is made where there is none.
set -eu

if [ ! -e /srv/git/first.git ]; then
    git init --quiet --bare --initial-branch=main /srv/git/new
    git -C /srv/git/new config http.receivepack true
    chown -R www-data: /srv/git/new
    mv /srv/git/new /srv/git/first.git
fi
exec lighttpd -D -f /etc/lighttpd.conf
