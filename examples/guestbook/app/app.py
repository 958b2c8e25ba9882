"""A guestbook. PGHOST and its like say where it is kept, READ_HOST where it is read if that is another database."""

import os
from contextlib import closing

import psycopg2
from flask import Flask, redirect, render_template_string, request

PAGE = """<!doctype html>
<title>Guestbook</title>
<h1>Guestbook</h1>
<form method="post">
<input name="name" placeholder="name"><input name="words" placeholder="words"><button>Sign</button>
</form>
{% for name, words in entries %}<p><b>{{ name }}</b>: {{ words }}</p>
{% endfor %}"""
app = Flask(__name__)


def query(sql, *values, host=None):
    """Run one statement in a transaction of its own; its rows, where it gives some."""
    with (
        closing(psycopg2.connect("", **({"host": host} if host else {}))) as database,
        database,
        database.cursor() as cursor,
    ):
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


@app.get("/")
def read():
    """The page, the latest entry first."""
    sql = "SELECT name, words FROM entries ORDER BY id DESC LIMIT 100"
    return render_template_string(PAGE, entries=query(sql, host=os.environ.get("READ_HOST")))


@app.post("/")
def sign():
    """Add an entry, and show the page."""
    query("INSERT INTO entries (name, words) VALUES (%s, %s)", request.form["name"], request.form["words"])
    return redirect("/")


query("CREATE TABLE IF NOT EXISTS entries (id serial PRIMARY KEY, name text NOT NULL, words text NOT NULL)")
