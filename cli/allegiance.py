"""Whose cluster this machine joined: the file beside its identity."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from cli.errors import CliError
from cli.home import write_private
from transport.identity.joining import Address, Manager
from transport.place import Place


@dataclass(frozen=True, slots=True)
class Allegiance:
    """What a machine that joined knows of its cluster.

    `api` is where a manager's API answered when it joined, `managers` whom it dials, `address` what others reach it by
    where a person said so. `met` is where the manager was met since, if elsewhere. `removed`: the cluster has said that
    this machine is none of its own any more.
    """

    role: str
    api: Address
    managers: tuple[Manager, ...]
    address: str = ""
    removed: bool = False
    met: Place | None = None

    @property
    def manager(self) -> Manager:
        """The manager that this machine serves."""
        return self.managers[0]

    @property
    def places(self) -> tuple[Place, ...]:
        """Where to look for it, in this order; the address by which this machine joined is always among them."""
        api, link = self.api, self.manager
        hosts = dict.fromkeys((api.host, link.address))
        known = (self.met, *(Place(host, api.port, link.port) for host in hosts))
        return tuple(dict.fromkeys(place for place in known if place is not None))


def load(path: Path) -> Allegiance | None:
    """What is kept at `path`; None where there is nothing. Raises CliError where it cannot be read."""
    try:
        found = orjson.loads(path.read_bytes())
        managers = tuple(Manager(**one) for one in found["managers"])
        kept = Allegiance(
            found["role"],
            Address(**found["api"]),
            managers,
            found.get("address", ""),
            found.get("removed", False),
            Place(**found["met"]) if found.get("met") else None,
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror}; run gbnt as its owner") from error
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise CliError(f"{path} is damaged: `gbnt reset` makes this machine free to join again") from error
    if not kept.managers:
        raise CliError(f"{path} names no manager: `gbnt reset` makes this machine free to join again")
    return kept


def save(path: Path, allegiance: Allegiance) -> None:
    """Keep it, whole and durably. Raises OSError."""
    write_private(path, orjson.dumps(asdict(allegiance)))


def moved(path: Path, place: Place) -> None:
    """Note where the manager was met. Raises CliError and OSError."""
    kept = load(path)
    if kept is not None and kept.places[0] != place:
        save(path, replace(kept, met=place))


def dismissed(path: Path) -> None:
    """Note that the cluster has removed this machine. Raises CliError and OSError."""
    kept = load(path)
    if kept is not None and not kept.removed:
        save(path, replace(kept, removed=True))
