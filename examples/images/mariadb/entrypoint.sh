#!/bin/sh
# Make the database where the volume has none: MARIADB_DATABASE, and its owner MARIADB_USER with MARIADB_PASSWORD. It
# gets its place when it is whole, so that a start that was killed half-way begins again.
set -eu

make() {
    rm -rf /data/new
    mariadb-install-db --datadir=/data/new --skip-test-db >/dev/null
    mariadbd --datadir=/data/new --bootstrap <<SQL
FLUSH PRIVILEGES;
CREATE DATABASE \`$MARIADB_DATABASE\` CHARACTER SET utf8mb4;
CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY '$MARIADB_PASSWORD';
GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
SQL
    mv /data/new /data/mysql
}

[ -d /data/mysql ] || make
exec "$@"
