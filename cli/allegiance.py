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

    `api` is where a manager's API answers, `managers` whom it dials, `address` what others reach it by where a person
    said so. `removed`: the cluster has said that this machine is none of its own any more.
    """

    role: str
    api: Address
    managers: tuple[Manager, ...]
    address: str = ""
    removed: bool = False

    @property
    def manager(self) -> Manager:
        """The manager that this machine serves."""
        return self.managers[0]


def load(path: Path) -> Allegiance | None:
    """What is kept at `path`; None where there is nothing. Raises CliError where it cannot be read."""
    try:
        found = orjson.loads(path.read_bytes())
        managers = tuple(Manager(**one) for one in found["managers"])
        kept = Allegiance(
            found["role"], Address(**found["api"]), managers, found.get("address", ""), found.get("removed", False)
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
    """Note that the manager is at another place. Raises CliError and OSError."""
    kept = load(path)
    if kept is not None:
        manager = replace(kept.manager, address=place.host, port=place.link_port)
        save(path, replace(kept, api=Address(place.host, place.api_port), managers=(manager, *kept.managers[1:])))


def dismissed(path: Path) -> None:
    """Note that the cluster has removed this machine. Raises CliError and OSError."""
    kept = load(path)
    if kept is not None and not kept.removed:
        save(path, replace(kept, removed=True))
