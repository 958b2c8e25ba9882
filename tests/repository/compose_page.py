"""The lists of keys in docs/compose.md, made from the tables that the loader reads by.

`python -m tests.repository.compose_page` prints them: after a change of a table, paste them over those of the page.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from cluster.compose import (
    build,
    deploy,
    environment,
    healthcheck,
    mounts,
    networks,
    placement,
    ports,
    service_keys,
    volumes,
)
from cluster.compose import stack as top
from cluster.compose.keys import Fact, Table, Unread
from cluster.compose.scope import Scope

WORDS = {
    Unread.LATER: "Not supported yet, with a warning",
    Unread.IGNORED: "Without effect here, with a warning",
    Unread.REFUSED: "Refused",
}


def _unread(_: str) -> bytes:
    raise FileNotFoundError


def levels() -> Mapping[str, Table]:
    """The table of each level of a file, under the path that leads there."""
    scope = Scope("stack", "/", {}, _unread)
    service = "services.NAME"
    return {
        "The file": top._table(scope),
        service: service_keys.service_keys(scope),
        f"{service}.build": build._TABLE,
        f"{service}.depends_on.NAME": service_keys._DEPENDENCY,
        f"{service}.deploy": deploy._DEPLOY,
        f"{service}.deploy.placement": placement._TABLE,
        f"{service}.deploy.placement.preferences[]": placement._PREFERENCE,
        f"{service}.deploy.resources": _resources(),
        f"{service}.deploy.resources.limits": deploy._LIMITS,
        f"{service}.deploy.resources.reservations": deploy._RESERVATIONS,
        f"{service}.deploy.restart_policy": deploy._RESTART_POLICY,
        f"{service}.deploy.update_config": deploy._UPDATE,
        f"{service}.env_file[]": environment._ENV_FILE,
        f"{service}.healthcheck": healthcheck._TABLE,
        f"{service}.networks.NAME": networks._ATTACHMENT,
        f"{service}.ports[]": ports._LONG,
        f"{service}.volumes[]": mounts._LONG,
        f"{service}.volumes[].bind": mounts._BIND,
        f"{service}.volumes[].volume": mounts._VOLUME,
        f"{service}.volumes[].tmpfs": mounts._TMPFS,
        "networks.NAME": networks._NETWORK,
        "networks.NAME.ipam": networks._IPAM,
        "networks.NAME.ipam.config[]": networks._IPAM_CONFIG,
        "volumes.NAME": volumes._VOLUME,
    }


def _resources() -> Table:
    reader: Any = deploy._DEPLOY["resources"]
    return dict(reader.keywords["table"])


def rendered() -> str:
    """Every level with its keys, as Markdown."""
    return "\n".join(line for path, table in levels().items() for line in _level(path, table))


def _level(path: str, table: Table) -> Iterator[str]:
    yield f"### {path if path == 'The file' else f'`{path}`'}\n"
    read = [key for key, row in table.items() if not isinstance(row, Unread | Fact)]
    yield f"- Read: {_listed(read, {})}"
    for why, words in WORDS.items():
        unread = {key: row for key, row in table.items() if isinstance(row, Unread | Fact) and _why(row) is why}
        if unread:
            yield f"- {words}: {_listed(unread, unread)}"
    yield ""


def _why(row: Unread | Fact) -> Unread:
    return row.why if isinstance(row, Fact) else row


def _listed(keys: Any, rows: Mapping[str, Unread | Fact]) -> str:
    return ", ".join(f"`{key}`{_advice(rows.get(key))}" for key in sorted(keys))


def _advice(row: Unread | Fact | None) -> str:
    return f" ({row.hint})" if isinstance(row, Fact) else ""


if __name__ == "__main__":
    sys.stdout.write(rendered())
