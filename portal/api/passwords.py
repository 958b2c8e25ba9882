"""Passwords of users: hashed by argon2id, and compared at the same cost whether or not there is such a user."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from starlette.requests import HTTPConnection

from cluster.users import LONGEST
from portal.api.problems import Problem

if TYPE_CHECKING:
    from argon2 import PasswordHasher

AT_ONCE = 2
"""Each takes 64 MiB and a core for a tenth of a second: who signs in by the hundred is not to take a machine."""
MOST_WAITING = 50
PAUSE = 5

# The hash of a password that nobody has, at the cost of all others.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$K4evxBI6/qGzSSVImCu07w$NBHcghmkM/QkJwGZqhqTO0errS/vERykgJyQ9AexmhA"


class Passwords:
    """Hashes and compares in threads, a few at a time. Raises Problem where too many wait already."""

    def __init__(self) -> None:
        self._limit = anyio.CapacityLimiter(AT_ONCE)

    async def hash(self, password: str) -> str:
        """What is kept of a password, with a salt of its own (PHC)."""
        self._expect_room()
        return await to_thread.run_sync(_hash, password, limiter=self._limit)

    async def is_right(self, password: str, hash: str | None) -> bool:
        """Whether the password is the one of the hash. Without a hash it is not, and that takes as long.

        Nor is one that nobody can have: to bring a long text into its normal form may take seconds, and all wait.
        """
        self._expect_room()
        kept = hash if len(password) <= LONGEST else None
        same = await to_thread.run_sync(_matches, password[:LONGEST], kept or NOBODY, limiter=self._limit)
        return same and kept is not None

    def _expect_room(self) -> None:
        if self._limit.statistics().tasks_waiting >= MOST_WAITING:
            text = f"too many sign in at this moment; try again in {PAUSE} s"
            raise Problem("unavailable", text, headers={"retry-after": str(PAUSE)})


def passwords_of(connection: HTTPConnection) -> Passwords:
    """The door's own."""
    passwords = connection.app.state.passwords
    assert isinstance(passwords, Passwords)
    return passwords


def _hash(password: str) -> str:
    return hasher().hash(_normal(password))


def _matches(password: str, hash: str) -> bool:
    from argon2.exceptions import VerificationError

    try:
        return hasher().verify(hash, _normal(password))
    except VerificationError:
        return False


def _normal(password: str) -> str:
    """The same bytes for the same characters: keyboards write an umlaut in more ways than one."""
    return unicodedata.normalize("NFC", password)


@cache
def hasher() -> PasswordHasher:
    """argon2id at the cost that RFC 9106 names second. Imported with the first password: few commands have any."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
