"""Images in Docker's own terms: references, what a registry is shown, and progress messages, added up."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from cluster.registries import HUB, TOKEN_USER, Credential
from engine.port import PullProgress

JSON = Mapping[str, Any]

# What Docker's own registry is called where its users are.
HUB_SERVER = "https://index.docker.io/v1/"


def full_reference(reference: str) -> str:
    """The reference with its tag: Docker pulls every tag of a repository that is named without one."""
    last = reference.rpartition("/")[2]
    return reference if ":" in last or "@" in last else f"{reference}:latest"


def auth_config(registry: str, credential: Credential) -> dict[str, str]:
    """What an engine is to show a registry, as it wants it."""
    server = {"serveraddress": HUB_SERVER if registry == HUB else registry}
    if credential.username == TOKEN_USER:
        return {**server, "identitytoken": credential.password}
    return {**server, "username": credential.username, "password": credential.password}


def auth_header(registry: str, credential: Credential | None) -> dict[str, str]:
    """The same as the header of a call that asks a registry; no header where nothing is to be shown."""
    if credential is None:
        return {}
    return {"X-Registry-Auth": urlsafe_b64encode(orjson.dumps(auth_config(registry, credential))).decode()}


@dataclass(slots=True)
class PullMeter:
    """Adds up the layers of one pull. Docker tells a layer's size only once it downloads it."""

    done: dict[str, int] = field(default_factory=dict)
    total: dict[str, int] = field(default_factory=dict)
    moves: int = 0
    _last: dict[str, tuple[str, int]] = field(default_factory=dict)

    def progress(self, message: JSON) -> PullProgress:
        """The state of the whole pull after one more message."""
        status, layer = message.get("status", ""), message.get("id", "")
        detail = message.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            self.done[layer], self.total[layer] = detail.get("current", 0), detail["total"]
        elif status in ("Download complete", "Pull complete") and layer in self.total:
            self.done[layer] = self.total[layer]
        now = status, detail.get("current", 0)
        if self._last.get(layer) != now:
            self._last[layer] = now
            self.moves += 1
        return PullProgress(sum(self.done.values()), sum(self.total.values()), status, self.moves)


@dataclass(slots=True)
class BuildSteps:
    """Remembers the step that a build is at, so that its failure can name it."""

    step: str = ""

    def line(self, message: JSON) -> str:
        """What a message says for a person; empty when that is nothing."""
        text: str = (message.get("stream") or message.get("status") or "").rstrip()
        if text.startswith("Step "):
            self.step = text
        return text
