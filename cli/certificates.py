"""A node's own certificate, renewed: by a manager's own authority, or by asking a manager; and that of the API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from anyio import to_thread

from actors.certificate import Held, NotRenewed
from cli.errors import CliError
from cli.home import NodeIdentity
from cli.options import names_in
from transport.identity import ClusterCA, IdentityError
from transport.identity.certificates import node_name
from transport.identity.joining import Address, Member, renew
from transport.identity.node_keys import NodeKeys


class SignedHere:
    """Implements `actors.certificate.Certificate` for a manager, which has the authority. Makes a first one at once."""

    def __init__(self, keys: NodeKeys, authority: ClusterCA, node: str) -> None:
        self._keys = keys
        self._authority = authority
        self._node = node
        if keys.is_due():
            self._sign()

    @property
    def held(self) -> Held:
        """See `actors.certificate.Certificate`."""
        return held(self._keys)

    async def renew(self) -> None:
        """See `actors.certificate.Certificate`."""
        try:
            await to_thread.run_sync(self._sign)
        except (IdentityError, OSError) as error:
            raise NotRenewed(str(error)) from error

    def _sign(self) -> None:
        signed = self._authority.sign(self._keys.request(), self._node, "manager")
        self._keys.take(signed, self._authority.certificate)


class SignedByManager:
    """The same for a worker. `manager` is where the API of its manager answers at present."""

    def __init__(self, member: Member, manager: Callable[[], Address]) -> None:
        self._member = member
        self._manager = manager

    @property
    def held(self) -> Held:
        """See `actors.certificate.Certificate`."""
        return held(self._member.keys)

    async def renew(self) -> None:
        """See `actors.certificate.Certificate`."""
        try:
            # Left behind where gbnt stops meanwhile: a manager that does not answer is no reason to wait then.
            await to_thread.run_sync(self._ask, self._manager(), abandon_on_cancel=True)
        except (IdentityError, OSError) as error:
            raise NotRenewed(str(error)) from error

    def _ask(self, manager: Address) -> None:
        admitted = renew(self._member, manager)
        self._member.keys.take(admitted.certificate, admitted.authority)


def of_the_api(authority: ClusterCA, identity: NodeIdentity, address: str, names: str) -> Path:
    """The file of the API's certificate: for the node's names, its address, and other `names` with commas between."""
    own = node_name(identity.cluster, identity.node)
    return authority.server_certificate([identity.name, own, *names_in(names)], [address])


def held(keys: NodeKeys) -> Held:
    """The certificate that these keys have. Raises CliError where there is none."""
    facts = keys.facts
    if facts is None:
        raise CliError("this node has no certificate of its cluster: join again, with a new join token")
    return Held(facts.serial, keys.renew_at, facts.expires.timestamp())
