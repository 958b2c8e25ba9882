"""Short links. DB_HOST and its like say where they are kept, CACHE where those that are asked for are remembered."""

import os
from contextlib import closing

import pymysql
from flask import Flask, abort, redirect, request
from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheError

DATABASE = {key: os.environ[f"DB_{key.upper()}"] for key in ("host", "user", "password")} | {
    "db": os.environ["DB_NAME"]
}
SECONDS = 60
app = Flask(__name__)


def cache():
    """A connection of this request's own: none is left over from a cache that was lost."""
    return closing(Client((os.environ["CACHE"], 11211), connect_timeout=0.5, timeout=0.5, default_noreply=False))


def query(sql, *values):
    """Run one statement; its first row, where it gives one."""
    with pymysql.connect(**DATABASE, autocommit=True) as database, database.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()


@app.put("/<name>")
def keep(name):
    """Keep an address under a short name."""
    address = request.get_data(as_text=True)
    query("REPLACE INTO links (name, address) VALUES (%s, %s)", name, address)
    remember(name, address)
    return "", 204


@app.get("/<name>")
def follow(name):
    """Go where the link leads; the header `X-From` says who knew it."""
    if known := recall(name):
        return sent(known, "cache")
    row = query("SELECT address FROM links WHERE name = %s", name)
    address = row[0] if row else abort(404)
    remember(name, address)
    return sent(address, "database")


def recall(name):
    """What the cache knows: a cache that is away is one that knows nothing."""
    try:
        with cache() as connection:
            return connection.get(name, b"").decode()
    except (OSError, MemcacheError) as error:
        app.logger.warning("the cache is away: %s", error)
        return ""


def remember(name, address):
    """Have the cache know it too, if there is one."""
    try:
        with cache() as connection:
            connection.set(name, address, expire=SECONDS)
    except (OSError, MemcacheError) as error:
        app.logger.warning("the cache is away: %s", error)


def sent(address, source):
    """The redirection."""
    answer = redirect(address)
    answer.headers["X-From"] = source
    return answer


query("CREATE TABLE IF NOT EXISTS links (name VARCHAR(100) PRIMARY KEY, address TEXT NOT NULL)")
