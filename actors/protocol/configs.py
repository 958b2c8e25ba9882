"""Contents of configs: from the Senate to a machine, and inside that machine."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.configs import ConfigFile
from supervisor.message import message


@message("config.get/1")
@dataclass(frozen=True, slots=True)
class GetConfig:
    """From a machine to the Senate: a content that a task of its own reads, from an offset on.

    Answered by `ConfigPiece` or `Refused`.
    """

    node: str
    digest: str
    offset: int = 0


@message("config.piece/1")
@dataclass(frozen=True, slots=True)
class ConfigPiece:
    """A part of a content's base64, and the length of the whole: in one it would hold up all else on a slow link."""

    text: str
    length: int


@message("config.want/1")
@dataclass(frozen=True, slots=True)
class WantConfig:
    """To the `configs` actor: have this file here. Answered by `ConfigHere` or `Failed`."""

    file: ConfigFile


@message("config.here/1")
@dataclass(frozen=True, slots=True)
class ConfigHere:
    """The file is on this machine, where the engine finds it by this path."""

    path: str


@message("config.keep/1")
@dataclass(frozen=True, slots=True)
class KeepConfigs:
    """To the `configs` actor: remove all files but these, by their names."""

    names: frozenset[str]
