"""Signing in and out: which server is trusted, and what is written of it into the file of contexts.

A password is sent to nobody whose authority a person has not vouched for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import ssl
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from cli import context_changes
from cli.asking import confirm
from cli.client import Client
from cli.context import Context, config_path, contexts, find_context
from cli.context_words import authority_in, name_of, server_of
from cli.errors import BadInput, CliError, NotAllowed
from cli.http import through_tls
from cli.session import Session
from cli.words import countdown, span

NOBODY = "nobody was signed in"


def place(server: str, authority: str, fingerprint: str, name: str) -> Context:
    """Where to sign in, with the authority that is trusted for it, and without a token.

    `authority` is a file, `fingerprint` the SHA-256 of one, and `name` a context's, which counts where no server is
    given. Raises BadInput, Unreachable, and CliError for another authority than is wanted.
    """
    if authority and fingerprint:
        raise BadInput("--certificate-authority and --ca-fingerprint both say whom to trust: leave out one")
    wanted = _digest(fingerprint) if fingerprint else ""
    known = _known(server, name)
    if authority:
        return replace(known, certificate_authority=authority_in(Path(authority)))
    if wanted:
        return replace(known, certificate_authority=_of_digest(known.server, wanted))
    return known if known.certificate_authority or not server else _vouched(known)


def sign_in(place: Context, username: str, password: str, ttl: float, name: str) -> None:
    """Sign in, and make that the current context, called `name` or USER@CLUSTER. `ttl` is in seconds."""
    chosen = name_of(name) if name else ""
    made = _client(place, "").open_session(username, password, ttl)
    session = replace(place, token=str(made["token"]))
    named = replace(session, name=chosen or _free_name(f"{made['user']}@{made['cluster']}", session))
    try:
        context_changes.add_context(named)
    except CliError:
        with contextlib.suppress(CliError):  # a session that nobody has is nobody's to use
            _client(session, session.token).close_session()
        raise
    left = span(countdown(made["expires_at"], time.time()))
    print(f"signed in to {made['cluster']} as {made['user']} ({made['role']}) for {left}")
    print(f'commands now go to "{named.name}"')
    _warn_of_what_counts_before(named.name)


def sign_out(name: str) -> None:
    """End the session of a context, and forget that one. Raises BadInput where there is none."""
    path = config_path()
    context = find_context(name, path)
    if context is None:
        raise BadInput(f"{path} has no current context: nobody is signed in")
    try:
        _client(context, context.token).close_session()
    except NotAllowed:
        print("the session had ended before", file=sys.stderr)
    current = context_changes.remove_context(context.name, path)
    print(f'signed out, and forgot "{context.name}"')
    context_changes.tell_of_none(current, path)


def _client(place: Context, token: str) -> Client:
    return Client(Session(through_tls(place, token)))


def _known(server: str, name: str) -> Context:
    """The server that is meant, with the authority that a context has pinned for it."""
    path = config_path()
    if not server:
        found = find_context(name, path)
        if found is None:
            raise BadInput("say where to sign in: --server https://HOST:4000; no context is current here")
        return found
    address = server_of(server)
    pinned = [one for one in contexts(path)[0] if one.server == address and one.certificate_authority]
    return replace(pinned[0], token="") if pinned else Context("", address, "", "")


def _vouched(place: Context) -> Context:
    """The same, trusted by the authority that it shows, where the person says that it is the right one."""
    if not sys.stdin.isatty():
        raise BadInput(
            f"no context knows {place.server}, and there is no terminal to ask whether its authority is the right one: "
            "give --ca-fingerprint or --certificate-authority"
        )
    authority = _shown(place.server)[-1]
    digest = hashlib.sha256(authority).hexdigest()
    print(f"The authority at {place.server} has the SHA-256 fingerprint\n  {digest}", file=sys.stderr)
    print("On a manager's machine `gbnt config get-contexts -o wide` shows how it begins.", file=sys.stderr)
    confirm("Is it the right one?", yes=False, otherwise=NOBODY)
    return replace(place, certificate_authority=ssl.DER_cert_to_PEM_cert(authority))


def _of_digest(server: str, wanted: str) -> str:
    from transport.identity.joining import authority_among

    authority = authority_among(_shown(server), wanted)
    if authority is not None:
        return authority
    raise CliError(
        f"nothing at {server} has the authority whose fingerprint begins with {wanted[:12]}, and {NOBODY}: it is "
        "another cluster, or somebody is in between; compare with `gbnt config get-contexts -o wide` on its manager"
    )


def _shown(server: str) -> list[bytes]:
    from transport.identity import IdentityError
    from transport.identity.joining import Address, shown_by

    parts = urlsplit(server)
    assert parts.hostname is not None
    assert parts.port is not None
    try:
        return shown_by(Address(parts.hostname, parts.port))
    except IdentityError as error:
        raise CliError(str(error)) from error


def _digest(text: str) -> str:
    """The 64 digits of a SHA-256 as people write it: with colons, in capitals, or after a word. Raises BadInput."""
    digits = text.strip().lower().removeprefix("sha256:").replace(":", "")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise BadInput(
            "--ca-fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits, with colons or without"
        )
    return digits


def _free_name(name: str, session: Context) -> str:
    """The name, with a number where another cluster's context is called so."""
    known = {one.name: one for one in contexts(config_path())[0]}
    return next(free for free in _numbered(name) if free not in known or _is_same(known[free], session))


def _is_same(one: Context, other: Context) -> bool:
    return (one.certificate_authority, one.server) == (other.certificate_authority, other.server)


def _numbered(name: str) -> Iterable[str]:
    yield name
    for number in range(2, 10_000):
        yield f"{name}-{number}"


def _warn_of_what_counts_before(name: str) -> None:
    if os.environ.get("GBNT_CONTEXT", "") not in ("", name):
        print("warning: GBNT_CONTEXT is set, and counts before: unset it", file=sys.stderr)
    for variable in ("GBNT_API_TOKEN", "GBNT_API_TOKEN_FILE"):
        if os.environ.get(variable):
            print(f"warning: {variable} is set, and its token counts before this session: unset it", file=sys.stderr)
