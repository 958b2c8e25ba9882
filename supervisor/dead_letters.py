"""The dead letter office: where messages go that reach nobody."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from supervisor.address import Address

RECENT = 256
FIRST_PAUSE, LAST_PAUSE = 1.0, 64.0

log = logging.getLogger(__name__)


class Reason(StrEnum):
    """Why a message reached nobody."""

    NO_SUCH_ACTOR = "no_such_actor"
    STOPPED = "stopped"
    OVERFLOW = "overflow"
    EXPIRED = "expired"
    UNDECODABLE = "undecodable"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that reached nobody. `at` is wall-clock time in seconds."""

    reason: Reason
    address: Address
    message: object
    at: float


@dataclass(frozen=True, slots=True)
class DeadLetterStatistics:
    """Counts since the start for every reason, and the newest letters, oldest first."""

    total: int
    by_reason: Mapping[Reason, int]
    recent: tuple[DeadLetter, ...]


def log_dead_letter(letter: DeadLetter, unlogged: int) -> None:
    """Write a letter to the log: who missed what kind of message, never its contents, which may be secret."""
    more = f" ({unlogged} more since the last such line)" if unlogged else ""
    log.warning("%s did not get %s: %s%s", letter.address, type(letter.message).__name__, letter.reason, more)


class DeadLetterOffice:
    """Counts every letter, keeps the newest, and calls `logger` for some: ever more seldom while they keep coming.

    The pause between two calls is 1 s, then 2, 4 and so on up to 64 s, and after so much peace 1 s again. It gets the
    letter and the number of letters that went unlogged since it was last called.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        logger: Callable[[DeadLetter, int], None] = log_dead_letter,
    ) -> None:
        self._clock = clock
        self._logger = logger
        self._counts: Counter[Reason] = Counter()
        self._recent: deque[DeadLetter] = deque(maxlen=RECENT)
        self._unlogged = 0
        self._logged_at = self._posted_at = float("-inf")
        self._pause = FIRST_PAUSE

    def post(self, reason: Reason, address: Address, message: object) -> None:
        """Take a message that reached nobody."""
        letter = DeadLetter(reason, address, message, self._clock())
        self._counts[reason] += 1
        self._recent.append(letter)
        peace, self._posted_at = abs(letter.at - self._posted_at) >= LAST_PAUSE, letter.at
        if peace:
            self._pause = FIRST_PAUSE
        elif abs(letter.at - self._logged_at) < self._pause:
            self._unlogged += 1
            return
        else:
            self._pause = min(LAST_PAUSE, 2 * self._pause)
        self._logger(letter, self._unlogged)
        self._logged_at, self._unlogged = letter.at, 0

    def statistics(self) -> DeadLetterStatistics:
        """Return the counts and the newest letters."""
        counts = {reason: self._counts[reason] for reason in Reason}
        return DeadLetterStatistics(sum(counts.values()), counts, tuple(self._recent))

    def __len__(self) -> int:
        return self._counts.total()
