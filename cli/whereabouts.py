"""Where a worker's manager may be found: each place in turn, until one answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cli.allegiance import Allegiance
from cli.link_tls import ClientTls
from transport.channel import Channel, Dial
from transport.dialer import http2_dialer
from transport.identity.certificates import node_name
from transport.identity.joining import Address
from transport.identity.proofs import proof
from transport.place import Place


class Whereabouts:
    """The manager of an allegiance, wherever it was met, said to be, or joined by.

    Whatever the address, who answers there must have that very manager's certificate.
    """

    def __init__(self, allegiance: Allegiance, clock: Callable[[], float]) -> None:
        self._manager = allegiance.manager.node
        self._clock = clock
        self._places = list(allegiance.places)
        self._met: Place | None = None

    @property
    def api(self) -> Address:
        """Where its API answers at present, as far as is known."""
        return Address(self._places[0].host, self._places[0].api_port)

    @property
    def link(self) -> Address:
        """Where its door for links is at present, as far as is known."""
        return Address(self._places[0].host, self._places[0].link_port)

    @property
    def met(self) -> Place | None:
        """Where it answered last; None where it has not yet."""
        return self._met

    def learn(self, place: Place) -> bool:
        """It was heard to be there: look there first. Returns whether that is another place than the one before."""
        news = self._places[0] != place
        self._places = [place, *(known for known in self._places if known != place)]
        return news

    def dialer(self, tls: ClientTls, cluster: str, conduit: str = "") -> Dial:
        """What connects to it with the keys of `tls`, for the link or for the conduit of that name."""

        @asynccontextmanager
        async def dial() -> AsyncIterator[Channel]:
            opened, place = False, self._places[0]
            try:
                async with self._dial(tls, cluster, conduit)() as channel:
                    opened, self._met = True, place
                    yield channel
            finally:
                if not opened and self._places[0] is place:
                    self._places.append(self._places.pop(0))

        return dial

    def _dial(self, tls: ClientTls, cluster: str, conduit: str) -> Dial:
        """With the certificate that there is now: it may have been renewed since the last connection."""
        return http2_dialer(
            self._manager,
            f"https://{self.link}",
            tls.context(),
            lambda: proof(tls.keys, self._manager, "link", self._clock),
            server_name=node_name(cluster, self._manager),
            conduit=conduit,
        )
