"""The sign-ins to registries that Docker's command line keeps: in its configuration, or with a credential helper."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cluster.registries import HUB, TOKEN_USER, Credential, registry_named

# What Docker calls its own registry there.
HUB_KEY = "https://index.docker.io/v1/"
NOT_FOUND = "credentials not found"
HELPER_SECONDS = 30.0


def sign_ins(registries: Iterable[str]) -> dict[str, Credential]:
    """Those to these registries, by registry. What cannot be read is told as a warning, and counts as none."""
    wanted = sorted(registries)
    config = _config() if wanted else {}
    found = ((registry, _sign_in(config, registry)) for registry in wanted)
    return {registry: credential for registry, credential in found if credential is not None}


def _config() -> Mapping[str, Any]:
    path = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        config = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _warn(f"{path} cannot be read ({error}): images are asked for without the sign-ins that may be there")
        return {}
    return config if isinstance(config, dict) else {}


def _sign_in(config: Mapping[str, Any], registry: str) -> Credential | None:
    helper = _section(config, "credHelpers").get(_key(registry)) or config.get("credsStore")
    if helper:
        return _from_helper(str(helper), _key(registry))
    for name, entry in _section(config, "auths").items():
        if registry_named(name) == registry and isinstance(entry, dict):
            return _from_entry(entry, name)
    return None


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = config.get(name)
    return section if isinstance(section, dict) else {}


def _key(registry: str) -> str:
    return HUB_KEY if registry == HUB else registry


def _from_entry(entry: Mapping[str, Any], name: str) -> Credential | None:
    if entry.get("identitytoken"):
        return Credential(TOKEN_USER, str(entry["identitytoken"]))
    try:
        username, _, password = b64decode(str(entry.get("auth") or ""), validate=True).decode().partition(":")
    except ValueError:
        _warn(f"Docker's sign-in to {name} is damaged: `docker login {name}` makes another")
        return None
    password = password.rstrip("\0")  # as Docker does it
    return Credential(username, password) if username and password else None


def _from_helper(helper: str, server: str) -> Credential | None:
    """What `docker-credential-HELPER get` answers: it reads the server from its input, and writes JSON or an error."""
    program = f"docker-credential-{helper}"
    try:
        ended = subprocess.run(
            [program, "get"], input=server, stdout=subprocess.PIPE, text=True, check=False, timeout=HELPER_SECONDS
        )
        if ended.returncode == 0:
            answer = json.loads(ended.stdout)
            return Credential(str(answer["Username"]), str(answer["Secret"]))
        why = "" if NOT_FOUND in ended.stdout else f"it ended with status {ended.returncode}"
    except subprocess.TimeoutExpired:
        why = f"it has not answered for {HELPER_SECONDS:g} s; `{program} list` shows whether it waits for somebody"
    except (OSError, ValueError, KeyError, TypeError) as error:
        # Of what it wrote nothing is shown, which may be a secret.
        why = str(error.strerror) if isinstance(error, OSError) else "its answer is none"
    if why:
        _warn(f"{program} does not give Docker's sign-in to {server}: {why}")
    return None


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)
