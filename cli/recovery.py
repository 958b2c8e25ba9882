"""A node and its store, brought together at each start: whether this state is the one that its containers are of."""

from __future__ import annotations

from cli.home import Home, NodeIdentity
from cli.log import said
from cluster.decide.nodes import HOLD
from store.contract import Outcome, Store, Unavailable
from store.entities import put
from store.schema import Table

NEVER_CLAIMED = 0  # the epoch of a store that no Senate has written to


async def take_over(store: Store, home: Home, identity: NodeIdentity) -> None:
    """Keep who this node is, or hold its containers where it is known and the store knows nothing.

    The store is claimed before the node is known, and what holds the containers is durable before anybody claims the
    store. So, wherever a start is cut short, the next one can tell a first start from a state that was lost. Raises
    store.contract.Unavailable where that cannot be made durable: a Senate of this store would remove every container.
    """
    if home.is_new:
        await store.claim_epoch(identity.node)
        home.keep(identity)
    elif (await store.leadership()).epoch == NEVER_CLAIMED:
        await _hold_what_is_unknown(store, home)


async def _hold_what_is_unknown(store: Store, home: Home) -> None:
    held = put(Table.SETTINGS, HOLD, '"the state was lost"', version=0)
    applied = await store.apply([held], rid="recovery", epoch=NEVER_CLAIMED)
    if applied.outcome not in (Outcome.COMMITTED, Outcome.DUPLICATE):
        raise Unavailable(
            f"{home.store} is empty though this node has run before, and that its containers are to be left as they "
            f"are could not be noted: {applied.reason}"
        )
    said.info(
        "gbnt: %s is empty though this node has run before: its containers are left as they are; "
        "restore a snapshot, or let them go with `gbnt snapshot confirm`",
        home.store,
    )
