"""The lists of keys in docs/compose.md, made from the tables that the loader reads by.

`python -m tests.repository.compose_page` prints them: after a change of a table, paste them over those of the page.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping

from cluster.compose.canonical import (
    build,
    dependencies,
    deploy,
    devices,
    environment,
    grants,
    healthcheck,
    lifecycle,
    mounts,
    networks,
    placement,
    ports,
    service,
    stack,
    volumes,
)
from cluster.compose.canonical.scope import Scope
from cluster.compose.joining import extends, include
from cluster.compose.reading.files import Files
from cluster.compose.reading.keys import Fate, Row, Table

WORDS = {
    Fate.LATER: "Not supported yet, so that a deploy is refused",
    Fate.NEVER: "Refused to a deploy",
    Fate.IGNORED: "Without effect here, with a warning",
}


def _unread(_: str) -> bytes:
    raise FileNotFoundError


def levels() -> Mapping[str, Table]:
    """The table of each level of a file, under the path that leads there."""
    scope = Scope("stack", Files(_unread))
    one = "services.NAME"
    reserved = f"{one}.deploy.resources.reservations"
    return {
        "The file": stack.STACK_TABLE,
        "include[]": include.INCLUDE,
        one: service.service_table(scope),
        f"{one}.blkio_config": devices.BLKIO,
        f"{one}.blkio_config.device_*[]": devices.RATE,
        f"{one}.blkio_config.weight_device[]": devices.WEIGHT,
        f"{one}.build": build.BUILD,
        f"{one}.configs[] and secrets[]": grants.GRANT,
        f"{one}.credential_spec": lifecycle.CREDENTIALS,
        f"{one}.depends_on.NAME": dependencies.DEPENDENCY,
        f"{one}.deploy": deploy.DEPLOY,
        f"{one}.deploy.placement": placement.PLACEMENT,
        f"{one}.deploy.placement.preferences[]": placement.PREFERENCE,
        f"{one}.deploy.resources": deploy.RESOURCES,
        f"{one}.deploy.resources.limits": deploy.LIMITS,
        reserved: deploy.RESERVATIONS,
        f"{reserved}.devices[]": devices.REQUEST,
        f"{reserved}.generic_resources[]": deploy.GENERIC,
        f"{reserved}.generic_resources[].discrete_resource_spec": deploy.DISCRETE,
        f"{one}.deploy.restart_policy": deploy.RESTART_POLICY,
        f"{one}.deploy.rollback_config": deploy.ROLLBACK,
        f"{one}.deploy.update_config": deploy.UPDATE,
        f"{one}.develop": lifecycle.DEVELOP,
        f"{one}.develop.watch[]": lifecycle.WATCH,
        f"{one}.devices[]": devices.DEVICE,
        f"{one}.env_file[]": environment.ENV_FILE,
        f"{one}.extends": extends.EXTENDS,
        f"{one}.gpus[]": devices.GPU,
        f"{one}.healthcheck": healthcheck.HEALTHCHECK,
        f"{one}.logging": service.LOGGING,
        f"{one}.models.NAME": lifecycle.USED_MODEL,
        f"{one}.networks.NAME": networks.ATTACHMENT,
        f"{one}.ports[]": ports.LONG,
        f"{one}.post_start[] and pre_stop[]": lifecycle.HOOK,
        f"{one}.provider": lifecycle.PROVIDER,
        f"{one}.ulimits.NAME": devices.ULIMIT,
        f"{one}.volumes[]": mounts.LONG,
        f"{one}.volumes[].bind": mounts.BIND,
        f"{one}.volumes[].image": mounts.IMAGE,
        f"{one}.volumes[].tmpfs": mounts.TMPFS,
        f"{one}.volumes[].volume": mounts.VOLUME,
        "configs.NAME": grants.CONFIG,
        "models.NAME": lifecycle.MODEL,
        "networks.NAME": networks.NETWORK,
        "networks.NAME.ipam": networks.IPAM,
        "networks.NAME.ipam.config[]": networks.IPAM_CONFIG,
        "secrets.NAME": grants.SECRET,
        "volumes.NAME": volumes.VOLUME,
    }


def rendered() -> str:
    """Every level with its keys, as Markdown."""
    return "\n".join(line for path, table in levels().items() for line in _level(path, table))


def _level(path: str, table: Table) -> Iterator[str]:
    yield f"### {path if path == 'The file' else f'`{path}`'}\n"
    read = [key for key, row in table.items() if not isinstance(row, Row)]
    if read:
        yield f"- Read: {_listed(read, {})}"
    for fate, words in WORDS.items():
        rows = {key: row for key, row in table.items() if isinstance(row, Row) and row.fate is fate}
        if rows:
            yield f"- {words}: {_listed(rows, rows)}"
    yield ""


def _listed(keys: Iterable[str], rows: Mapping[str, Row]) -> str:
    return ", ".join(f"`{key}`{_advice(rows.get(key))}" for key in sorted(keys))


def _advice(row: Row | None) -> str:
    return f" ({row.hint})" if row and row.hint else ""


if __name__ == "__main__":
    sys.stdout.write(rendered())
