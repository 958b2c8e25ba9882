"""A manager, as this machine sees it; and this machine, as the manager does."""

from __future__ import annotations

import http.client
import ssl
import time
from email.utils import parsedate_to_datetime

from cli.doctor.facts import Back, Manager
from cli.doctor.finding import Unseen
from cli.doctor.probes.ports import CONNECT_SECONDS, listening, reach
from transport.identity import IdentityError
from transport.identity.joining import Address, Member, knock


def manager(address: Address, link_port: int, credential: str | Member | Unseen, hostname: str) -> Manager:
    """All that can be seen of it. `credential` is a join token or a node's keys: the way back is told nobody else.

    `link_port` is where its links are thought to be, until it says so itself.
    """
    api = reach(address)
    if api.failure:
        nothing = Unseen("the manager is not reached")
        return Manager(address.host, (api,), nothing, nothing)
    back: Back | Unseen
    if isinstance(credential, Unseen):
        back = credential
    else:
        link_port, back = _back(address, link_port, credential, hostname)
    return Manager(address.host, (api, reach(Address(address.host, link_port))), ahead(address), back)


def ahead(address: Address) -> float | Unseen:
    """How many seconds the clock here is ahead of the manager's, by the date of an answer.

    No certificate is looked at: by a wrong clock none would be good, and nothing is said but what is asked.
    """
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address.host, address.port, timeout=CONNECT_SECONDS, context=trust)
    try:
        connection.connect()
        before = time.time()
        connection.request("HEAD", "/v1/knock")
        date = parsedate_to_datetime(connection.getresponse().headers["date"])
    except (OSError, http.client.HTTPException, TypeError, ValueError) as error:
        return Unseen(f"{address} gives no date ({error})")
    finally:
        connection.close()
    # A date is in whole seconds, cut: half of one is its middle.
    return (before + time.time()) / 2 - (date.timestamp() + 0.5)


def _back(address: Address, link_port: int, credential: str | Member, hostname: str) -> tuple[int, Back | Unseen]:
    """What the manager met here, and which port its links are on: it knocks at the same one, so we listen there."""
    try:
        with listening(link_port) as port:
            found, heard = knock(address, credential, hostname), port.heard()
        if found.target.port != link_port:
            with listening(found.target.port) as port:
                found, heard = knock(address, credential, hostname), port.heard()
    except IdentityError as error:
        return link_port, Unseen(str(error))
    return found.target.port, Back(str(found.target), found.reached, found.reason, heard, found.name_taken)
