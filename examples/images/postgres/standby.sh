#!/bin/sh
# Run a copy of the database at PRIMARY that follows it; made once, it is in the volume.
set -eu

export PGPASSWORD="$POSTGRES_PASSWORD"
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    rm -rf /data/new
    # --write-recovery-conf leaves the way to the primary in it, which makes it a standby.
    pg_basebackup --host="$PRIMARY" --username=postgres --pgdata=/data/new --write-recovery-conf --checkpoint=fast
    mv /data/new "$PGDATA"
fi
exec postgres -c 'listen_addresses=*'
