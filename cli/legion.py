"""Makes this machine a node of a cluster: what is asked, and what is written into its data directory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from os import environ
from pathlib import Path

import orjson

from cli import allegiance
from cli.allegiance import Allegiance
from cli.errors import BadInput, CliError
from cli.home import Home, NodeIdentity, write_private
from cli.options import API_PORT, secret
from gubernator import __version__
from transport.identity import IdentityError
from transport.identity.joining import Address, Admitted, join
from transport.identity.node_keys import NodeKeys


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person says of a join. `address` empty is the one that the manager sees this machine come from."""

    token: str = field(repr=False)
    manager: str
    name: str
    address: str = ""


def become_node(data_dir: Path, wish: Wish, checks: Callable[[], None] = lambda: None) -> Admitted:
    """Join, and write this node's identity into its data directory; durable on return.

    `checks` are made once it is known that this machine is no node yet. Broken off, it can be done again by the same
    token, which is used once. Raises BadInput and CliError.
    """
    manager = address(wish.manager)
    home = Home(data_dir)
    try:
        keys = NodeKeys(home.keys, time.time)
        _insist_on_newcomer(home, keys)
        checks()
        admitted = join(keys, wish.token, manager, wish.name, wish.address, __version__)
        # The certificate is written last: with it this machine is a node, and before it all can be done again.
        allegiance.save(home.legion, Allegiance(admitted.role, manager, admitted.managers, wish.address))
        write_private(home.identity_file, orjson.dumps(asdict(_identity(admitted))))
        keys.take(admitted.certificate, admitted.authority)
    except IdentityError as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(f"cannot write into {data_dir}: {error.strerror}; make room, and join again") from error
    return admitted


def address(text: str) -> Address:
    """`HOST:PORT`, `[HOST]:PORT`, or a host alone with the usual port. Raises BadInput."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host.strip("[]") and not host.startswith("[")):
        host, port = text, str(API_PORT)  # an IPv6 address has colons of its own
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadInput(f'"{text}" is no address of a manager: write it as --manager HOST:{API_PORT}')
    return Address(host, int(port))


def token_from(token: str, file: str, environment: Mapping[str, str] = environ) -> str:
    """The join token from an option, a file (`-` is the standard input) or the environment. Raises BadInput."""
    token = given_token(token, file, environment)
    if not token:
        raise BadInput(
            "a join token is needed: --token, --token-file or GBNT_JOIN_TOKEN_FILE; `gbnt legion join-token` on a "
            "manager makes one"
        )
    return token


def given_token(token: str, file: str, environment: Mapping[str, str] = environ) -> str:
    """The same; empty where none is given."""
    if token and file:
        raise BadInput("--token and --token-file are both given: choose one")
    if file == "-":
        token = sys.stdin.read().strip()
    elif file:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"cannot read the file of --token-file: {error}") from error
    return token or secret("GBNT_JOIN_TOKEN", environment)


def _insist_on_newcomer(home: Home, keys: NodeKeys) -> None:
    sworn = allegiance.load(home.legion)
    if sworn is not None and sworn.removed:
        forget(home, keys)
    known = keys.facts
    if known is not None:
        raise CliError(
            f"this machine is node {known.node} of the cluster {known.cluster} already; to join another one choose an "
            "empty --data-dir"
        )
    if home.store.exists() or (home.identity_file.exists() and not home.legion.exists()):
        raise CliError(
            f"{home.path} is that of a cluster of its own, which `gbnt serve` began: to join another one choose an "
            "empty --data-dir"
        )


def forget(home: Home, keys: NodeKeys) -> None:
    """What this machine was in a cluster that has removed it. The certificate goes first: it makes a node."""
    keys.drop()
    for file in (home.orders, home.identity_file, home.legion):
        file.unlink(missing_ok=True)


def _identity(admitted: Admitted) -> NodeIdentity:
    return NodeIdentity(admitted.cluster, admitted.node, admitted.name)
