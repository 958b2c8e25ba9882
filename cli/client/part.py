"""What all parts of the client have in common."""

from __future__ import annotations

from cli.session import Session


class Part:
    """Some of what one manager can be asked. Raises what Session raises."""

    def __init__(self, session: Session) -> None:
        self._session = session
