"""Which nonces were seen, for as long as what carries them could still be taken."""

from __future__ import annotations

from collections import defaultdict

MOST_OF_ONE = 10_000
FORGET_EVERY = 256


class Nonces:
    """Bounded for each peer, so that one of them cannot make another's be forgotten."""

    def __init__(self, most_of_one: int = MOST_OF_ONE) -> None:
        self._most = most_of_one
        self._until: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def take(self, peer: str, nonce: str, until: float, now: float) -> bool:
        """Whether `nonce` is new and may count. It is remembered until the time `until`.

        No for a peer that has too many outstanding: forgetting the oldest would let it be used again.
        """
        seen = self._until[peer]
        if nonce in seen:
            return False
        if len(seen) >= self._most or len(seen) % FORGET_EVERY == FORGET_EVERY - 1:
            self._forget(now)
            seen = self._until[peer]
        if len(seen) >= self._most:
            return False
        seen[nonce] = until
        return True

    def _forget(self, now: float) -> None:
        for peer in list(self._until):
            left = {nonce: until for nonce, until in self._until[peer].items() if until > now}
            if left:
                self._until[peer] = left
            else:
                del self._until[peer]
