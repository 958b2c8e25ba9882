"""Changes of the file of contexts: each is read, made and written as a whole, and touches no other context."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.context import SECTIONS, Context, Document, config_path, contexts_of, document_at, named
from cli.errors import BadInput, CliError

OF_A_CONTEXT = {"cluster": "clusters", "user": "users"}


def add_context(context: Context, path: Path | None = None, *, make_current: bool = True) -> Path:
    """Write a context into the file, in the place of one of the same name, and make it current. Returns the file.

    Without `make_current` it is that only where none is yet.
    """
    return add_contexts([context], path, current=context.name if make_current else "")


def add_contexts(added: Iterable[Context], path: Path | None = None, *, current: str = "") -> Path:
    """Write several, and make `current` the current one; where that is empty, the first if none is yet."""
    chosen = list(added)

    def add(document: Document) -> None:
        for context in chosen:
            _put(document, context)
        if current or (chosen and not document.get("current-context")):
            document["current-context"] = current or chosen[0].name

    return _edit(path or config_path(), add)


def move_contexts(authority: str, server: str, path: Path | None = None) -> None:
    """Lead the contexts that reach this machine's manager by loopback to its present address. `authority` is its PEM.

    Raises BadInput where the file cannot be read, CliError where it cannot be written; a missing one has none to move.
    """
    file = path or config_path()
    here, _, _ = server.rpartition(":")
    encoded = encoded_authority(authority)

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

    if any(elsewhere(entry) for entry in document_at(file)["clusters"]):
        _edit(file, move)


def use_context(name: str, path: Path) -> None:
    """Make a context the current one. Raises BadInput for an unknown name."""

    def use(document: Document) -> None:
        _insist_on(name, document, path)
        document["current-context"] = name

    _edit(path, use)


def rename_context(name: str, new: str, path: Path) -> None:
    """Call a context otherwise. Raises BadInput for an unknown name, and for a new one that another has."""

    def rename(document: Document) -> None:
        _insist_on(name, document, path)
        if new != name and new in (entry.get("name") for entry in document["contexts"]):
            raise BadInput(f'there is a context "{new}" already: delete it first, or choose another name')
        for entry in document["contexts"]:
            if entry.get("name") == name:
                entry["name"] = new
        if document.get("current-context") == name:
            document["current-context"] = new

    _edit(path, rename)


def remove_context(name: str, path: Path) -> str:
    """Forget a context, with its cluster and user where no other context names them. Raises BadInput if unknown.

    Returns the name of the one that is current then; empty where none is: what a script does next goes to no cluster
    that nobody chose.
    """
    current = ""

    def remove(document: Document) -> None:
        nonlocal current
        _insist_on(name, document, path)
        _take_out(document, name)
        if document.get("current-context") == name:
            document["current-context"] = ""
        current = document["current-context"]

    _edit(path, remove)
    return current


def tell_of_none(current: str, path: Path) -> None:
    """Say what is to be done where there are contexts and none of them is the `current` one."""
    if not current and document_at(path)["contexts"]:
        print("no context is current now: `gbnt config use-context NAME` makes one that", file=sys.stderr)


def document_of(context: Context, cluster: str = "", user: str = "") -> Document:
    """One context as a file says it; its cluster and its user are called as it is, or as these say."""
    entry = {"name": context.name, "cluster": cluster or context.name, "user": user or context.name}
    place = {"name": entry["cluster"], "server": context.server}
    authority = encoded_authority(context.certificate_authority)
    return {
        "current-context": context.name,
        "contexts": [entry],
        "clusters": [{**place, "certificate-authority-data": authority}],
        "users": [{"name": entry["user"], "token": context.token}],
    }


def write_document(document: Document, file: Path) -> None:
    """Write a file of contexts with mode 0600, whole or not at all. Raises CliError where it cannot be."""
    from cli.home import write_private

    try:
        write_private(file, _written(document))
    except OSError as error:
        raise CliError(f"cannot write the contexts to {file}: {error.strerror}; name another file") from error


def encoded_authority(authority: str) -> str:
    """PEM as the file has it."""
    return base64.b64encode(authority.encode()).decode()


def _written(document: Document) -> bytes:
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()


def _insist_on(name: str, document: Document, path: Path) -> None:
    named(name, contexts_of(document, str(path))[0], str(path))


def _put(document: Document, context: Context) -> None:
    """Its cluster and user get names that no other context uses, which would be led elsewhere by them."""
    _take_out(document, context.name)
    taken = {key: {entry.get(key) for entry in document["contexts"]} for key in OF_A_CONTEXT}
    made = document_of(context, **{key: _free(context.name, names) for key, names in taken.items()})
    for section in SECTIONS:
        names = {entry["name"] for entry in made[section]}
        document[section] = [*(old for old in document[section] if old.get("name") not in names), *made[section]]


def _take_out(document: Document, name: str) -> None:
    gone = [entry for entry in document["contexts"] if entry.get("name") == name]
    kept = document["contexts"] = [entry for entry in document["contexts"] if entry.get("name") != name]
    for key, section in OF_A_CONTEXT.items():
        unused = {entry.get(key) for entry in gone} - {entry.get(key) for entry in kept}
        document[section] = [entry for entry in document[section] if entry.get("name") not in unused]


def _free(name: str, taken: Collection[object]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _edit(path: Path, change: Callable[[Document], object]) -> Path:
    """Read, change and replace the file, or what it is a link to; a reader sees the old one or the new one."""
    from cli.home import write_private

    file = Path(os.path.realpath(path))
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(file):
            document = document_at(path)
            change(document)
            write_private(file, _written(document))
    except OSError as error:
        raise CliError(
            f"cannot write the contexts to {path}: {error.strerror}; name another file in GBNTCTL_CONFIG"
        ) from error
    return path


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Wait for whoever changes the file already: who replaces what was read before that loses the other's change."""
    lock = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
