"""The data directory of a node: who it is, and where everything lies."""

from __future__ import annotations

import glob
import os
import socket
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from cli.context import contexts
from cli.errors import BadInput, CliError

CREDENTIALS = "first-credentials"
LONGEST_SOCKET = 107  # bytes of a path, by the kernel


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Made at the first start and kept: the cluster's lasting id, and this node's id and name."""

    cluster: str
    node: str
    name: str


class Home:
    """The folders below `path`: made with mode 0700, unless `make` is false. Raises CliError where they cannot be."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self.path = path
        self._is_new = False
        if make:
            self._make()

    @property
    def store(self) -> Path:
        """The cluster's state."""
        return self.path / "store" / "gbnt.db"

    @property
    def snapshots(self) -> Path:
        """Its snapshots."""
        return self.path / "snapshots"

    @property
    def keys(self) -> Path:
        """The cluster's authority and the server's key."""
        return self.path / "pki"

    @property
    def identity_file(self) -> Path:
        """Who this node is: see NodeIdentity."""
        return self.path / "node.json"

    @property
    def legion(self) -> Path:
        """Whose cluster this node joined, where it is not one of its own: role, and the managers."""
        return self.path / "legion.json"

    @property
    def orders(self) -> Path:
        """What this machine was told to run: see `cli.drawer`."""
        return self.path / "orders.json"

    @property
    def configs(self) -> Path:
        """Files of configs that its containers read: see `cli.config_folder`."""
        return self.path / "configs"

    @property
    def run(self) -> Path:
        """Sockets, and what the resolver keeps."""
        return self.path / "run"

    @property
    def admin_socket(self) -> Path:
        """The API for whoever may open this file: no credential is asked for."""
        return self.run / "admin.sock"

    @property
    def credentials(self) -> Path:
        """The first credential, until its first use."""
        return self.path / CREDENTIALS

    @property
    def contents(self) -> tuple[Path, ...]:
        """All that gbnt keeps here, in the order in which it may go.

        The keys make a node, and without `legion` it would be taken for a manager of its own.
        """
        kept = (self.keys, self.store.parent, self.snapshots, self.configs, self.run, self.credentials, self.orders)
        return (*kept, self.identity_file, self.legion)

    def tidy(self) -> None:
        """Remove what a gbnt that was killed while it wrote has left: it may hold secrets."""
        for file in (self.identity_file, self.legion, self.orders, self.credentials):
            remove_unfinished(file)

    def identity(self, name: str, new_id: Callable[[], str]) -> NodeIdentity:
        """Who this node is, or will be if this is its first start. `name` empty takes the host's.

        Raises BadInput for another name than it has.
        """
        known = self.known()
        self._is_new = known is None
        if known is not None and name not in ("", known.name):
            raise BadInput(
                f"this node is called {known.name} and cannot be renamed to {name}: leave --node-name out (or "
                "GBNT_NODE_NAME, or node-name of the options' file); a name is chosen when a machine joins or begins"
            )
        return known or NodeIdentity(cluster=new_id(), node=new_id(), name=name or socket.gethostname())

    def known(self) -> NodeIdentity | None:
        """Who this node is; None where it never started."""
        try:
            return NodeIdentity(**orjson.loads(self.identity_file.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        except (orjson.JSONDecodeError, TypeError) as error:
            raise CliError(
                f"{self.identity_file} is damaged: restore it from a backup, or begin with an empty --data-dir"
            ) from error

    @property
    def is_new(self) -> bool:
        """Whether no start of this node has come as far as `keep`."""
        return self._is_new

    def keep(self, identity: NodeIdentity) -> None:
        """From here on this node is known, and may have containers."""
        try:
            write_private(self.identity_file, orjson.dumps(asdict(identity)))
        except OSError as error:
            raise self._unusable(error) from error
        self._is_new = False

    def _make(self) -> None:
        path = self.path
        if len(os.fsencode(self.run / "resolver.sock")) > LONGEST_SOCKET:
            raise CliError(f"the sockets in {path} would have too long a path: choose a shorter one with --data-dir")
        try:
            for folder in (path, self.run, self.store.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> CliError:
        return CliError(
            f"cannot use the data directory {self.path}: {error.strerror}; run gbnt as root, or choose another one "
            "with --data-dir"
        )


def serves(home: Home) -> bool:
    """Whether a gbnt runs on this data directory: its admin socket is answered."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(home.admin_socket))
        except OSError:
            return False
    return True


def contexts_to(home: Home, file: Path) -> tuple[str, ...]:
    """The names of the contexts in `file` that lead to the cluster whose authority is here; none where nobody says."""
    try:
        authority = (home.keys / "ca.pem").read_text(encoding="utf-8")
        known, _ = contexts(file)
    except (OSError, CliError):
        return ()
    trusted = (one for one in known if one.certificate_authority and one.certificate_authority.strip() in authority)
    return tuple(one.name for one in trusted)


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, whole or not at all, and durably."""
    write_pieces(path, (content,))


def write_pieces(path: Path, pieces: Iterable[bytes], finish: Callable[[int], None] = lambda descriptor: None) -> None:
    """The same in pieces, and `finish` may change the open file before it is seen under its name.

    Who is killed meanwhile leaves a hidden file beside it: see `remove_unfinished`.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_unfinished(path))
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            finish(file.fileno())
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_unfinished(path: Path) -> None:
    """Remove what writers of this file that were killed have left. One that is still writing fails by that."""
    for left in path.parent.glob(f"{glob.escape(_unfinished(path))}*"):
        left.unlink(missing_ok=True)


def _unfinished(path: Path) -> str:
    return f".{path.name}."
