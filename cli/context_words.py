"""What a person says of a context: checked before it is written, and shown without its secrets."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from cli.context import Context, Document
from cli.errors import BadInput, CliError
from cli.options import API_PORT
from cli.words import HIDDEN, shown_url

SHOWN_OF_AN_AUTHORITY = 16

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s(.+?)-----END CERTIFICATE-----\s?", re.DOTALL)
_TOKEN = re.compile(r"gbnt_([!-^`-~]+)_[!-~]+")
_HOST = re.compile(r"[^\s\\]+")
_NAME = re.compile(r"[^\s-]\S*")

# Whose values are no secrets. What else a person wrote there may be one.
_OPEN = {
    "contexts": ("name", "cluster", "user"),
    "clusters": ("name", "server", "certificate-authority-data"),
    "users": ("name", "token"),
}


def name_of(text: str) -> str:
    """A name for a context. Raises BadInput for one that no command line could say."""
    if not (_NAME.fullmatch(text) and text.isprintable()):
        raise BadInput(f"{text!r} is no name for a context: it has no blanks, and begins with no dash")
    return text


def checked(context: Context, source: str) -> Context:
    """A context that was brought, if it is as this machine would have made it. Raises BadInput with its `source`."""
    try:
        token = token_of(context.token) if context.token else ""
        return replace(context, name=name_of(context.name), server=server_of(context.server), token=token)
    except BadInput as error:
        raise BadInput(f"{source}: {error}") from error


def server_of(text: str) -> str:
    """`https://HOST:PORT` for what a person calls a manager; the port is 4000 unless it says another.

    Raises BadInput for what is no address, and for plain HTTP, over which everybody would see the token.
    """
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname, parts.port or API_PORT
    except ValueError:
        parts, host, port = urlsplit(""), None, 0
    if (
        not (host and _HOST.fullmatch(host))
        or parts.scheme != "https"
        or parts.path.strip("/")
        or parts.query
        or parts.username is not None
    ):
        raise BadInput(
            f'"{shown_url(text)}" is no address of a manager: write it as https://HOST:PORT, as in https://192.0.2.1:4000'
        )
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def token_of(text: str) -> str:
    """A token without the blanks around it. Raises BadInput, which never repeats it, for what is none."""
    token = text.strip()
    if not _TOKEN.fullmatch(token):
        raise BadInput("that is no token: one begins with gbnt_ and was printed by `gbnt token create`")
    return token


def authority_in(file: Path) -> str:
    """The certificates of a PEM file, and nothing else of it: a key beside them is nobody's to have.

    Raises BadInput where it has none, CliError where it cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadInput(f"there is no file {file}: name the certificate of the cluster's authority") from error
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}; name a file that this user may read") from error
    found = "".join(f"{match[0].strip()}\n" for match in _CERTIFICATE.finditer(text))
    if not found:
        raise BadInput(f"{file} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    return found


def token_id(token: str) -> str:
    """What the cluster knows a token by, which is no secret; empty where there is none."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else ""


def fingerprint(authority: str) -> str:
    """The beginning of the SHA-256 of a certificate in PEM; empty where there is none."""
    found = _CERTIFICATE.search(authority)
    try:
        return hashlib.sha256(base64.b64decode(found[1])).hexdigest()[:16] if found else ""
    except ValueError:
        return ""


def without_secrets(document: Document) -> Document:
    """A file of contexts for the eyes of others: of a token its id is left, of an authority its beginning.

    Of what is none of gbnt's own keys the value is hidden.
    """
    shown = {key: value if key == "current-context" else HIDDEN for key, value in document.items()}
    for section, keys in _OPEN.items():
        shown[section] = [
            {key: _shown(key, str(value)) if key in keys else HIDDEN for key, value in entry.items()}
            for entry in document[section]
        ]
    return shown


def only(document: Document, context: Context) -> Document:
    """Of a file one context alone, which is its current one."""
    entries = [entry for entry in document["contexts"] if entry.get("name") == context.name]
    kept: Document = {"current-context": context.name, "contexts": entries}
    for section, key in (("clusters", "cluster"), ("users", "user")):
        names = {entry.get(key) for entry in entries}
        kept[section] = [entry for entry in document[section] if entry.get("name") in names]
    return kept


def _shown(key: str, value: str) -> str:
    match key:
        case "token":
            return f"gbnt_{id}_{HIDDEN}" if (id := token_id(value)) else HIDDEN
        case "server":
            return shown_url(value)
        case "certificate-authority-data" if len(value) > SHOWN_OF_AN_AUTHORITY:
            return f"{value[:SHOWN_OF_AN_AUTHORITY]}..."
    return value
