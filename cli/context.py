"""The clusters that this person's `gbnt` knows: `~/.gbntctl/config`, in the manner of a kubeconfig.

    current-context: rome
    contexts: [{name: rome, cluster: rome, user: rome}]
    clusters: [{name: rome, server: "https://127.0.0.1:4000", certificate-authority-data: <base64 of the CA's PEM>}]
    users: [{name: rome, token: gbnt_...}]

It is written as JSON, which is YAML too, since every command reads it and a YAML parser takes longer to import than
the rest of its reading; what a person writes into it may be any YAML. The file holds credentials: it is written with
mode 0600, whole or not at all.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.errors import BadInput, CliError
from cli.words import did_you_mean

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """One cluster and the credential for it. `certificate_authority` is PEM, empty for the system's own list."""

    name: str
    server: str
    certificate_authority: str
    token: str


def config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """`GBNTCTL_CONFIG`, or `~/.gbntctl/config`."""
    given = environment.get("GBNTCTL_CONFIG")
    return Path(given) if given else Path.home() / ".gbntctl" / "config"


def contexts(path: Path) -> tuple[list[Context], str]:
    """Every context of the file in its order, and the name of the current one (empty where none is).

    Raises BadInput where the file cannot be read or is no such file; a missing file has no contexts.
    """
    document = _read(path)
    clusters = {entry.get("name"): entry for entry in document["clusters"]}
    users = {entry.get("name"): entry for entry in document["users"]}
    found = []
    for entry in document["contexts"]:
        cluster = clusters.get(entry.get("cluster"), {})
        token = users.get(entry.get("user"), {}).get("token", "")
        authority = _decoded(cluster.get("certificate-authority-data", ""), path)
        found.append(Context(str(entry.get("name", "")), str(cluster.get("server", "")), authority, str(token)))
    return found, str(document.get("current-context") or "")


def find_context(name: str, path: Path) -> Context | None:
    """The named context, or the current one for an empty name; None where the file has no current context.

    Raises BadInput for a name that the file does not have.
    """
    known, current = contexts(path)
    wanted = name or current
    for context in known:
        if context.name == wanted:
            return context
    if not wanted:
        return None
    hint = did_you_mean(wanted, (context.name for context in known))
    raise BadInput(f'there is no context "{wanted}" in {path}{hint}; `gbnt context ls` lists them')


def add_context(context: Context, path: Path | None = None, *, make_current: bool = True) -> Path:
    """Write a context into the file, in the place of one of the same name, and make it current. Returns the file."""
    authority = base64.b64encode(context.certificate_authority.encode()).decode()
    cluster = {"name": context.name, "server": context.server, "certificate-authority-data": authority}
    entries = {
        "contexts": {"name": context.name, "cluster": context.name, "user": context.name},
        "clusters": cluster,
        "users": {"name": context.name, "token": context.token},
    }

    def add(document: Document) -> None:
        for section, entry in entries.items():
            document[section] = [*(old for old in document[section] if old.get("name") != context.name), entry]
        if make_current or not document.get("current-context"):
            document["current-context"] = context.name

    return _edit(path or config_path(), add)


def move_contexts(authority: str, server: str, path: Path | None = None) -> None:
    """Lead the contexts that reach this machine's manager by loopback to its present address. `authority` is its PEM.

    Raises BadInput where the file cannot be read, CliError where it cannot be written; a missing one has none to move.
    """
    file = path or config_path()
    here, _, _ = server.rpartition(":")
    encoded = base64.b64encode(authority.encode()).decode()

    def elsewhere(entry: Document) -> bool:
        return (
            entry.get("certificate-authority-data") == encoded
            and str(entry.get("server", "")).rpartition(":")[0] == here
            and entry["server"] != server
        )

    def move(document: Document) -> None:
        document["clusters"] = [
            {**entry, "server": server} if elsewhere(entry) else entry for entry in document["clusters"]
        ]

    if any(elsewhere(entry) for entry in _read(file)["clusters"]):
        _edit(file, move)


def use_context(name: str, path: Path) -> None:
    """Make a context the current one. Raises BadInput for an unknown name."""
    find_context(name, path)
    _edit(path, lambda document: document.update({"current-context": name}))


def remove_context(name: str, path: Path) -> None:
    """Forget a context, with its cluster and user where no other context names them. Raises BadInput if unknown."""
    find_context(name, path)

    def remove(document: Document) -> None:
        kept = [entry for entry in document["contexts"] if entry.get("name") != name]
        document["contexts"] = kept
        for section, key in (("clusters", "cluster"), ("users", "user")):
            named = {entry.get(key) for entry in kept}
            document[section] = [entry for entry in document[section] if entry.get("name") in named]
        if document.get("current-context") == name:
            document["current-context"] = kept[0]["name"] if len(kept) == 1 else ""

    _edit(path, remove)


def _read(path: Path) -> Document:
    try:
        loaded = _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        loaded = None
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot read the contexts in {path}: {error}; mend the file or move it away") from error
    document = {} if loaded is None else loaded
    if not isinstance(document, dict):
        raise BadInput(f"{path} does not hold contexts: mend the file or move it away")
    for section in ("contexts", "clusters", "users"):
        entries = document.setdefault(section, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise BadInput(f"{section} in {path} is not a list of entries: mend the file or move it away")
    return document


def _parsed(text: str) -> object:
    """The document of a file. Raises ValueError for one that is no YAML."""
    try:
        return json.loads(text)
    except ValueError:
        import yaml  # only for a file that a person wrote

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from error


def _edit(path: Path, change: Callable[[Document], object]) -> Path:
    """Read, change and replace the file; a reader sees the old one or the new one."""
    from cli.home import write_private

    document = _read(path)
    change(document)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode())
    except OSError as error:
        raise CliError(
            f"cannot write the contexts to {path}: {error.strerror}; name another file in GBNTCTL_CONFIG"
        ) from error
    return path


def _decoded(authority: object, path: Path) -> str:
    try:
        return base64.b64decode(str(authority), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadInput(f"a certificate-authority-data in {path} is not base64 of a PEM certificate") from error
