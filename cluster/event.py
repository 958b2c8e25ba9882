"""What happened in the cluster, in order."""

from __future__ import annotations

from dataclasses import dataclass

OF_ADMINS = ("user", "token", "join_token")
"""What events are for admins alone to see, as it is for them alone to list: the word before the point of their kind."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that changed: `revision` and `number` place it among all others.

    `request` is the id of the API's request that it goes back to; empty where nobody asked for it.
    """

    revision: int
    number: int
    at: float
    kind: str
    subject: str
    message: str
    request: str = ""

    @property
    def is_for_admins(self) -> bool:
        """Whether nobody else is shown it."""
        return self.kind.partition(".")[0] in OF_ADMINS
