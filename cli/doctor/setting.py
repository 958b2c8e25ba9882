"""What an examination is told, by the person or by the data directory: which manager, in which role, as whom."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from cli import allegiance
from cli.allegiance import Allegiance
from cli.doctor.finding import Unseen
from cli.errors import CliError
from cli.home import Home
from cli.legion import address
from cli.options import API_PORT, LINK_PORT, TELEMETRY_PORT
from cluster.addresses import DEFAULT_POOL
from transport.identity import IdentityError
from transport.identity.join_tokens import peek
from transport.identity.joining import Address, Member
from transport.identity.node_keys import NodeKeys

NOBODY = Unseen("a manager connects to this machine for who has a join token, or a node's key")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where to look. `manager` None asks none; `role` is empty where it is not known what this machine is to be.

    `manager_links` is the port of the manager's links, as far as is known here; the other ports are this machine's own.
    `credential` is what the manager is asked with to knock here: a join token, or a node's own keys.
    """

    data_dir: Path
    manager: Address | None = None
    role: str = ""
    credential: str | Member | Unseen = field(default=NOBODY, repr=False)
    hostname: str = field(default_factory=socket.gethostname)
    pool: str = DEFAULT_POOL
    manager_links: int = LINK_PORT
    api_port: int = API_PORT
    telemetry_port: int = TELEMETRY_PORT
    link_port: int = LINK_PORT


def setting(data_dir: Path, manager: str = "", token: str = "", name: str = "", pool: str = "") -> Setting:
    """From what a person said; what they left out is taken from the node in `data_dir`, where there is one.

    Raises BadInput for a manager that is no address, CliError for a token that is none.
    """
    home = Home(data_dir, make=False)
    sworn = _sworn(home)
    where = address(manager) if manager else sworn.api if sworn else None
    return Setting(
        data_dir,
        where,
        _role(token) if token else sworn.role if sworn else "manager" if _is_manager(home) else "",
        token or (_member(home, sworn) if sworn else NOBODY),
        name or _name(home) or socket.gethostname(),
        pool or DEFAULT_POOL,
        manager_links=sworn.manager.port if sworn and not manager else LINK_PORT,
    )


def _sworn(home: Home) -> Allegiance | None:
    try:
        return allegiance.load(home.legion)
    except CliError:  # who may not look is told what was not seen
        return None


def _role(token: str) -> str:
    try:
        return peek(token).role
    except IdentityError as error:
        raise CliError(str(error)) from error


def _name(home: Home) -> str:
    """What this node is called; empty where it is none, or this user may not look."""
    try:
        known = home.known()
    except CliError:
        return ""
    return known.name if known else ""


def _member(home: Home, sworn: Allegiance) -> Member | Unseen:
    try:
        keys = NodeKeys(home.keys, time.time)
    except (OSError, IdentityError) as error:
        return Unseen(str(error))
    return Member(keys, sworn.manager.node) if keys.facts else Unseen("this node has no certificate yet")


def _is_manager(home: Home) -> bool:
    try:
        return home.store.exists()
    except OSError:  # in a folder of root's
        return False
