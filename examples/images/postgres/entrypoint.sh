#!/bin/sh
# Make the database where the volume has none: the user postgres with POSTGRES_PASSWORD, and POSTGRES_DB. It gets its
# place when it is whole, so that a start that was killed half-way begins again.
set -eu

make() {
    rm -rf /data/new
    printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
    initdb --pgdata=/data/new --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8
    rm /tmp/password
    printf 'host %s all all scram-sha-256\n' all replication >>/data/new/pg_hba.conf
    echo "CREATE DATABASE \"${POSTGRES_DB:-app}\"" | postgres --single -D /data/new postgres
    mv /data/new "$PGDATA"
}

[ -e "$PGDATA/PG_VERSION" ] || make
exec "$@"
