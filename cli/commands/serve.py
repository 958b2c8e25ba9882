"""`gbnt serve`: a node on this machine. The options are read here; what they start is wired in cli/serve.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cli.config import merged, read_config
from cli.errors import BadInput
from cli.group import Decorated, example, single
from cli.kinds import LAST_PORT, Whole
from cli.options import API_PORT, LINK_PORT, TELEMETRY_PORT, default_data_dir, secret


def _option(flag: str, variable: str, help: str, **more: Any) -> Callable[[Decorated], Decorated]:
    """An option that is None where neither it nor its variable is given: the file of --config may say it then."""
    return click.option(flag, envvar=variable, show_envvar=True, default=None, help=help, **more)


def _wait_until_joined(context: click.Context, option: click.Parameter, child: int | None) -> None:
    """Before all other options are looked at: one that is wrong is no reason to break off a join."""
    if child is not None:
        from cli.overlap import wait_until_joined

        wait_until_joined(child)


@single(epilog=example("sudo gbnt serve", "sudo gbnt serve --install --data-dir /srv/gbnt"))
@_option("--data-dir", "GBNT_DATA_DIR", f"Where the state is kept. [{default_data_dir()}]", metavar="FOLDER")
@_option("--bind", "GBNT_BIND", "The address to listen on. [0.0.0.0]", metavar="ADDRESS")
@_option("--advertise-addr", "GBNT_ADVERTISE_ADDR", "The address that others reach this node by.", metavar="ADDRESS")
@_option("--api-names", "GBNT_API_NAMES", "Other names and addresses that the API is reached by.", metavar="NAME,NAME")
@_option("--api-port", "GBNT_API_PORT", f"The API's port. [{API_PORT}]", metavar="PORT", type=Whole(1, LAST_PORT))
@_option(
    "--telemetry-port",
    "GBNT_TELEMETRY_PORT",
    f"/health, /ready and /metrics. [{TELEMETRY_PORT}]",
    metavar="PORT",
    type=Whole(1, LAST_PORT),
)
@_option(
    "--link-port",
    "GBNT_LINK_PORT",
    f"The links between nodes. [{LINK_PORT}]",
    metavar="PORT",
    type=Whole(1, LAST_PORT),
)
@_option("--node-name", "GBNT_NODE_NAME", "This node's name. [the host name]", metavar="NAME")
@_option("--network-pool", "GBNT_NETWORK_POOL", "The range that networks are cut from (CIDR).", metavar="RANGE")
@_option("--log-level", "GBNT_LOG_LEVEL", "debug, info, warning or error. [info]", metavar="LEVEL")
@_option("--log-format", "GBNT_LOG_FORMAT", "json or console. [console at a terminal, else json]", metavar="FORMAT")
@_option("--web/--no-web", "GBNT_WEB", "The web UI; this release has none yet.")
@_option("--web-user", "GBNT_WEB_USER", "Who may sign in to the web UI. [admin]", metavar="NAME")
@_option("--config", "GBNT_CONFIG", "A YAML file of these options, as data-dir: /srv.", metavar="FILE", type=Path)
@click.option("--install", is_flag=True, help="Set up a systemd service that does this, start it, and return.")
@click.option("--uninstall", is_flag=True, help="Stop that service and remove it, and return; containers go on.")
@click.option("--once-joined", type=int, hidden=True, is_eager=True, expose_value=False, callback=_wait_until_joined)
def app(config: Path | None, install: bool, uninstall: bool, **given: str | int | bool | None) -> None:
    """Run a node on this machine: manager and worker in one.

    An option here outweighs its GBNT_ variable, and that the file of --config. GBNT_API_TOKEN and GBNT_WEB_PASSWORD,
    or files with them by GBNT_API_TOKEN_FILE and GBNT_WEB_PASSWORD_FILE, bring your own first credentials.
    """
    if uninstall:
        if install:
            raise BadInput("--install and --uninstall are opposites: choose one")
        from cli.systemd import uninstall as uninstall_unit

        uninstall_unit()
        return
    options = merged(given, read_config(config) if config else {})
    if options.web:
        print("the web UI is not in this release yet: --web changes nothing", file=sys.stderr)
    if install:
        from cli.systemd import install as install_unit

        install_unit(options)
        return
    from cli.serve import run

    options = replace(options, api_token=secret("GBNT_API_TOKEN"), web_password=secret("GBNT_WEB_PASSWORD"))
    raise click.exceptions.Exit(run(options))
