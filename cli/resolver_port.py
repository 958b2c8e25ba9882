"""The resolver's port, by the process that `network.keeper` keeps."""

from __future__ import annotations

import sys

from actors.resolver import Standing, Unreachable
from cluster.zones import Zones
from network.keeper import ResolverError, ResolverKeeper


class Keeper:
    """Implements `actors.resolver.Resolver`."""

    def __init__(self, keeper: ResolverKeeper) -> None:
        self._keeper = keeper

    async def ensure(self) -> Standing:
        """See `actors.resolver.Resolver`."""
        try:
            status = await self._keeper.ensure()
        except ResolverError as error:
            raise Unreachable(str(error)) from error
        errors = "; ".join(f"cannot listen on {address}: {why}" for address, why in status.bind_errors.items())
        return Standing(status.serial, errors)

    async def publish(self, zones: Zones) -> None:
        """See `actors.resolver.Resolver`."""
        try:
            await self._keeper.publish(zones)
        except ResolverError as error:
            raise Unreachable(str(error)) from error


def resolver_command() -> tuple[str, ...]:
    """How this very gbnt starts a resolver; -P, or what lies in the present folder would be imported in its place."""
    return (sys.executable, "-P", "-m", "gubernator", "resolver")
