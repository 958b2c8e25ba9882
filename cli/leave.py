"""Takes this machine out of the cluster that it joined, and the cluster out of this machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cli import allegiance
from cli.allegiance import Allegiance
from cli.emptying import wait_until_empty
from cli.errors import CliError, Unreachable
from cli.home import Home, NodeIdentity, serves
from cli.systemd import retire
from cli.table import Row
from cli.words import count
from transport.identity import IdentityError, joining
from transport.identity.joining import Address, JoinFailed, Member
from transport.identity.node_keys import NodeKeys

if TYPE_CHECKING:
    from portal.shapes import LeaverRow

BY_FORCE = "`gbnt legion leave --force` waits for nothing"


def leave(data_dir: Path, *, force: bool, timeout: float | None = None) -> None:
    """Leave in order: empty this machine, have it forgotten, and put away what is here. May be done again to its end.

    By force nothing is waited for: what is here is put away first, so that nothing runs twice, and then a manager is
    told, if one answers. Otherwise the tasks here are waited for, no longer than `timeout` seconds; after that it is a
    node still, which goes on to empty. Raises CliError, TimedOut among it, and Unreachable where no manager answers
    and force is not meant.
    """
    home = Home(data_dir, make=False)
    sworn = allegiance.load(home.legion)
    if sworn is None:
        raise _no_worker(home)
    from cli.wipe import wipe_files, wipe_names  # the engine and an event loop come with it

    identity = home.known()
    if identity is not None:  # or all but the last of its files went before
        if force:
            _by_force(home, sworn, identity)
        else:
            _in_order(home, sworn, identity, timeout)
        wipe_names(home)
    wipe_files(home)
    print("nothing else of the cluster is left here: this machine may join again")


def _in_order(home: Home, sworn: Allegiance, identity: NodeIdentity, timeout: float | None) -> None:
    if not sworn.removed:
        words = f"{identity.name} is a node still: `gbnt legion leave` goes on, and {BY_FORCE}"
        wait_until_empty(partial(_remaining, home, sworn), words, timeout)
    print(f"{identity.name} is no node of the cluster {identity.cluster} any more", flush=True)
    _stop(home, "stop it, and run `gbnt legion leave` again, which puts away what is here")
    _put_away(identity.cluster)


def _by_force(home: Home, sworn: Allegiance, identity: NodeIdentity) -> None:
    _stop(home, "stop it first, and run this again")
    _put_away(identity.cluster)
    try:
        _ask(home, sworn, force=True)
    except CliError as error:
        there = f"`gbnt node rm {identity.name} --force` on it takes this node out of the cluster's state"
        print(f"no manager was told ({error}): {there}", file=sys.stderr)


def _no_worker(home: Home) -> CliError:
    if home.identity_file.exists() or home.store.exists():
        return CliError(
            f"the cluster in {home.path} is this machine's own, and this is its last manager: the cluster would be "
            "without one; `gbnt reset` ends the cluster here, and leaves nothing of it"
        )
    return CliError(f"{home.path} is no node's: name its --data-dir, or run this as root")


def _stop(home: Home, otherwise: str) -> None:
    """Have no gbnt work against what follows."""
    retire(home.path)
    if serves(home):
        raise CliError(f"gbnt still runs on {home.path}, and not as a service of systemd: {otherwise}")


def _put_away(cluster: str) -> None:
    from cli.wipe import told_of_volumes, wipe_engine

    wiped = wipe_engine(cluster)
    print(f"removed {count(len(wiped.containers), 'container')} and {count(len(wiped.networks), 'network')}")
    if wiped.volumes:
        print(told_of_volumes(wiped.volumes))


def _remaining(home: Home, sworn: Allegiance) -> Sequence[LeaverRow]:
    """What has not left this machine yet; nothing once the node is forgotten."""
    while True:
        try:
            answer = _ask(home, sworn, force=False)
        except CliError as error:
            raise type(error)(f"{error}; {BY_FORCE}") from error
        if answer["left"]:
            return ()
        if answer["leaving"]:
            return list(answer["leaving"])


def _ask(home: Home, sworn: Allegiance, *, force: bool) -> Row:
    """What the manager answers, at the first of its addresses where somebody does."""
    try:
        keys = NodeKeys(home.keys, time.time)
        if keys.facts is None:
            raise CliError("this machine has no certificate to prove itself with")
        member = Member(keys, sworn.manager.node)
        for place in sworn.places:
            try:
                return joining.leave(member, Address(place.host, place.api_port), force=force)
            except JoinFailed as error:
                unanswered = error
                if error.status >= 500:
                    break
                if error.status:
                    raise
    except IdentityError as error:
        raise CliError(str(error)) from error
    raise Unreachable(str(unanswered)) from unanswered
