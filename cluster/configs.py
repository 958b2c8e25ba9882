"""Configs: small files that a stack brings with it, for the containers of its services to read on whichever machine.

A content is known by its digest. The Senate keeps each once, a spec names it, and a machine asks for what it lacks.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LARGEST = 1000 * 1024
"""Bytes of one config at most, as in Docker Swarm, so that a file means the same in both."""
LARGEST_ID = 2**32 - 2
"""The last id of a user or group that owns a file: the one after it stands for none."""


@dataclass(frozen=True, slots=True)
class ConfigSpec:
    """A config of a stack. `name` is what the cluster knows it by; an external one is another stack's of that name.

    `content` is in base64, as `encoded` gives it. Once the Senate has it `digest` and `size`, in bytes, stand in its
    place.
    """

    name: str
    external: bool = False
    content: str = ""
    digest: str = ""
    size: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A config as a file in a service's containers: `source` is its key in the stack, `digest` the Senate's to say."""

    source: str
    target: str
    uid: int = 0
    gid: int = 0
    mode: int = 0o444
    digest: str = ""

    @property
    def file_name(self) -> str:
        """What a machine calls it: by all that makes it another file."""
        return f"{self.digest}-{self.uid}-{self.gid}-{self.mode:04o}"


def encoded(content: bytes) -> str:
    """A content as a spec holds it."""
    return base64.b64encode(content).decode()


def decoded(text: str) -> bytes | None:
    """The content that a spec holds; None where that is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def digest_of(content: bytes) -> str:
    """The SHA-256 of a content, as hex."""
    import hashlib  # only where contents are compared: who sends one has no use for it

    return hashlib.sha256(content).hexdigest()


def named(text: str, files: Iterable[ConfigFile]) -> str:
    """An engine's words about a path, led by the config whose file that is: a person knows no path of gbnt's own."""
    about = next((file for file in files if file.digest and file.digest in text), None)
    return text if about is None else f"config {about.source}, to be read at {about.target}: {text}"
