#!/bin/sh
# Start nginx, which does not read resolv.conf by itself.
set -eu

awk '$1 == "nameserver" { print "resolver " $2 " valid=2s ipv6=off;"; exit }' /etc/resolv.conf >/run/resolver.conf
exec nginx
