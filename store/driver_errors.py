"""What goes wrong below SQL, told apart by whose fault it is: the caller's statements, or the machine's."""

from __future__ import annotations

import sqlite3

DRIVER_ERRORS = (sqlite3.Error, OverflowError, ValueError)
"""All that running a statement raises: the last two for an integer past 64 bits and for text that is no Unicode."""

_PRIMARY_CODE = 0xFF  # the rest of an SQLite result code says where it went wrong

_CALLERS_CODES = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_RANGE,
    }
)
_CALLERS_ERRORS = (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError, OverflowError, ValueError)


def is_full(error: Exception) -> bool:
    """Whether the disk, or the quota, has no room left."""
    return _code(error) == sqlite3.SQLITE_FULL


def is_callers_fault(error: Exception) -> bool:
    """Whether the statement would fail on any machine at any time, so that a retry is useless."""
    return _code(error) in _CALLERS_CODES or isinstance(error, _CALLERS_ERRORS)


def _code(error: Exception) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY_CODE
