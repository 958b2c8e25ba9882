"""`gbnt serve`: a node on this machine. The options are read here; what they start is wired in cli/serve.py."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.config import merged, read_config
from cli.errors import BadInput
from cli.group import example, single
from cli.options import API_PORT, TELEMETRY_PORT, default_data_dir, secret

app = single()


def _option(*names: str, variable: str, help: str) -> object:
    return typer.Option(*names, envvar=variable, help=help, show_default=False)


# Text, not a path: the framework would look at it before gbnt can say what to do.
DataDir = Annotated[
    str | None,
    _option("--data-dir", variable="GBNT_DATA_DIR", help=f"Where the state is kept. [{default_data_dir()}]"),
]
Bind = Annotated[str | None, _option("--bind", variable="GBNT_BIND", help="The address to listen on. [0.0.0.0]")]
AdvertiseAddr = Annotated[
    str | None,
    _option("--advertise-addr", variable="GBNT_ADVERTISE_ADDR", help="The address that others reach this node by."),
]
ApiPort = Annotated[int | None, _option("--api-port", variable="GBNT_API_PORT", help=f"The API's port. [{API_PORT}]")]
TelemetryPort = Annotated[
    int | None,
    _option("--telemetry-port", variable="GBNT_TELEMETRY_PORT", help=f"/health and /metrics. [{TELEMETRY_PORT}]"),
]
NodeName = Annotated[
    str | None, _option("--node-name", variable="GBNT_NODE_NAME", help="This node's name. [the host name]")
]
NetworkPool = Annotated[
    str | None,
    _option("--network-pool", variable="GBNT_NETWORK_POOL", help="The range that networks are cut from (CIDR)."),
]
LogLevel = Annotated[
    str | None, _option("--log-level", variable="GBNT_LOG_LEVEL", help="debug, info, warning or error. [info]")
]
Web = Annotated[
    bool | None, _option("--web/--no-web", variable="GBNT_WEB", help="The web UI; this release has none yet.")
]
WebUser = Annotated[
    str | None, _option("--web-user", variable="GBNT_WEB_USER", help="Who may sign in to the web UI. [admin]")
]
Config = Annotated[
    Path | None, _option("--config", variable="GBNT_CONFIG", help="A YAML file of these options, as data-dir: /srv.")
]
Install = Annotated[
    bool, typer.Option("--install", help="Set up a systemd service that does this, start it, and return.")
]
Uninstall = Annotated[
    bool, typer.Option("--uninstall", help="Stop that service and remove it, and return; containers go on.")
]


@app.command(epilog=example("sudo gbnt serve", "sudo gbnt serve --install --data-dir /srv/gbnt"))
def serve(
    data_dir: DataDir = None,
    bind: Bind = None,
    advertise_addr: AdvertiseAddr = None,
    api_port: ApiPort = None,
    telemetry_port: TelemetryPort = None,
    node_name: NodeName = None,
    network_pool: NetworkPool = None,
    log_level: LogLevel = None,
    web: Web = None,
    web_user: WebUser = None,
    config: Config = None,
    install: Install = False,
    uninstall: Uninstall = False,
) -> None:
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
    given = {
        "data_dir": data_dir,
        "bind": bind,
        "advertise_addr": advertise_addr,
        "api_port": api_port,
        "telemetry_port": telemetry_port,
        "node_name": node_name,
        "network_pool": network_pool,
        "log_level": log_level,
        "web": web,
        "web_user": web_user,
    }
    options = merged(given, read_config(config) if config else {})
    if options.web:
        print("the web UI is not in this release yet: --web changes nothing", file=sys.stderr)
    if install:
        from cli.systemd import install as install_unit

        install_unit(options)
        return
    from cli.serve import run

    options = replace(options, api_token=secret("GBNT_API_TOKEN"), web_password=secret("GBNT_WEB_PASSWORD"))
    raise typer.Exit(run(options))
