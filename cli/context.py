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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.errors import BadInput
from cli.words import did_you_mean

Document = dict[str, Any]

SECTIONS = ("contexts", "clusters", "users")
TEXTS = ("name", "cluster", "user", "server", "token", "certificate-authority-data")


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
    return contexts_of(document_at(path), str(path))


def contexts_of(document: Document, source: str) -> tuple[list[Context], str]:
    """The same of a document, which errors call by its `source`."""
    clusters = {entry.get("name"): entry for entry in document["clusters"]}
    users = {entry.get("name"): entry for entry in document["users"]}
    found = []
    for entry in document["contexts"]:
        cluster = clusters.get(entry.get("cluster"), {})
        token = users.get(entry.get("user"), {}).get("token", "")
        authority = _decoded(cluster.get("certificate-authority-data", ""), source)
        found.append(Context(entry.get("name", ""), cluster.get("server", ""), authority, token))
    return found, document["current-context"]


def find_context(name: str, path: Path) -> Context | None:
    """The named context, or the current one for an empty name; None where the file has no current context.

    Raises BadInput for a name that the file does not have.
    """
    known, current = contexts(path)
    wanted = name or current
    return named(wanted, known, str(path)) if wanted else None


def named(name: str, known: Iterable[Context], source: str) -> Context:
    """The one of `known` that is called so. Raises BadInput where none is."""
    by_name = {context.name: context for context in known}
    if name not in by_name:
        hint = did_you_mean(name, by_name)
        raise BadInput(f'there is no context "{name}" in {source}{hint}; `gbnt config get-contexts` lists them')
    return by_name[name]


def document_at(path: Path) -> Document:
    """What the file says; a missing one says nothing. Raises as `contexts`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot read the contexts in {path}: {error}; mend the file or move it away") from error
    return document_in(text, str(path))


def document_in(text: str, source: str) -> Document:
    """What a text says, with all sections of a file of contexts. Raises BadInput where it is none."""
    try:
        document = _plain(_parsed(text)) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadInput(f"cannot read the contexts in {source}: {error}; mend the file or move it away") from error
    if not isinstance(document, dict):
        raise BadInput(f"{source} does not hold contexts: mend the file or move it away")
    for section in SECTIONS:
        entries = document.setdefault(section, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise BadInput(f"{section} in {source} is not a list of entries: mend the file or move it away")
        document[section] = [
            {key: _text(value) if key in TEXTS else value for key, value in entry.items()} for entry in entries
        ]
    document["current-context"] = _text(document.get("current-context"))
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


def _plain(value: object) -> object:
    """The same in what JSON has kinds for: YAML knows dates, and keys of any kind."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _text(value: object) -> str:
    """A name that a person wrote: `5` is one, whatever YAML takes it for."""
    return "" if value is None else str(value)


def _decoded(authority: object, source: str) -> str:
    try:
        return base64.b64decode(str(authority), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadInput(f"a certificate-authority-data in {source} is not base64 of a PEM certificate") from error
