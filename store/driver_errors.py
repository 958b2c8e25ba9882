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
# A write to a file that exists, the making of one, and the growth of the log's index, even for want of space.
_MAY_BE_FULL = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMOPEN,
        sqlite3.SQLITE_CANTOPEN,
    }
)
_CALLERS_ERRORS = (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError, OverflowError, ValueError)


def is_full(error: Exception) -> bool:
    """Whether the disk has no room left. Of a quota SQLite does not say so: see `may_be_full`."""
    return _code(error) == sqlite3.SQLITE_FULL


def may_be_full(error: Exception) -> bool:
    """Whether the disk or a quota may have no room left: SQLite takes what is no ENOSPC in a write for a bad disk."""
    return _extended_code(error) in _MAY_BE_FULL


def is_of_the_file(error: Exception) -> bool:
    """Whether what the file holds is wrong, rather than that it cannot be read now."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_callers_fault(error: Exception) -> bool:
    """Whether the statement would fail on any machine at any time, so that a retry is useless."""
    return _code(error) in _CALLERS_CODES or isinstance(error, _CALLERS_ERRORS)


def _code(error: Exception) -> int | None:
    code = _extended_code(error)
    return None if code is None else code & _PRIMARY_CODE


def _extended_code(error: Exception) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code
