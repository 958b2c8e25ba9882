"""The readings, in SQLite: one process writes them, others read."""

import sqlite3

PATH = "/readings/readings.db"


def connect():
    """The database, with its one table."""
    database = sqlite3.connect(PATH, timeout=10)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE IF NOT EXISTS readings (sensor TEXT NOT NULL, value REAL NOT NULL)")
    return database
