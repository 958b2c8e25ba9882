"""Searches the lines that the collector keeps. PGHOST and its like say where."""

from contextlib import closing

import psycopg2
from flask import Flask, request

TABLE = r"""
CREATE TABLE IF NOT EXISTS lines (
    at timestamptz NOT NULL,
    source text NOT NULL,
    tag text NOT NULL,
    message text NOT NULL,
    -- Paths and the like are words too.
    words tsvector GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(message, '\W+', ' ', 'g'))) STORED
);
CREATE INDEX IF NOT EXISTS lines_words ON lines USING gin (words);
"""
SEARCH = """
SELECT at, source, tag, message FROM lines
WHERE %(words)s = '' OR words @@ websearch_to_tsquery('simple', %(words)s)
ORDER BY at DESC LIMIT 100
"""
app = Flask(__name__)


def query(sql, **values):
    """Run statements in one transaction; the rows of the last one, where it gives some."""
    with closing(psycopg2.connect("")) as database, database, database.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


@app.get("/")
def search():
    """The latest lines that hold these words (`?q=`)."""
    rows = query(SEARCH, words=request.args.get("q", ""))
    return [dict(zip(("at", "source", "tag", "message"), (at.isoformat(), *rest), strict=True)) for at, *rest in rows]


query(TABLE)
