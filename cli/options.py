"""What a node is started with, and where each value may come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.errors import BadInput

API_PORT = 4000
TELEMETRY_PORT = 4002
LINK_PORT = 4003


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Everything that `gbnt serve` may be told.

    An empty `advertise_addr` is this machine's address towards its default route; an empty `node_name` its host name.
    `api_names` are other names and addresses that the API is reached by, with commas between them. `network_pool` is
    the range (CIDR) that stacks' networks are cut from; empty is gbnt's own choice. `api_token` is the secret of the
    first credential where the person brings one; otherwise the first start makes it. `log_format` is `json` or
    `console`; empty is what suits whoever reads the standard error.
    """

    data_dir: Path
    bind: str = "0.0.0.0"
    advertise_addr: str = ""
    api_names: str = ""
    api_port: int = API_PORT
    telemetry_port: int = TELEMETRY_PORT
    link_port: int = LINK_PORT
    node_name: str = ""
    network_pool: str = ""
    log_level: str = "info"
    log_format: str = ""
    web: bool = False
    web_user: str = "admin"
    web_password: str = field(default="", repr=False)
    api_token: str = field(default="", repr=False)


def names_in(text: str) -> list[str]:
    """The names of a text that has commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def default_data_dir() -> Path:
    """`/var/lib/gubernator` for root, `~/.local/share/gubernator` for anybody else."""
    return Path("/var/lib/gubernator") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "gubernator"


def secret(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The value of the variable `name`, or the content of the file that `<name>_FILE` names; empty where neither is.

    Raises BadInput where both are set, or the file cannot be read.
    """
    value, path = environment.get(name, ""), environment.get(f"{name}_FILE", "")
    if value and path:
        raise BadInput(f"{name} and {name}_FILE are both set: unset one of them")
    if not path:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read the file that {name}_FILE names: {error}") from error
