"""`gbnt serve --install`: gbnt as a systemd service that starts with the machine."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.errors import CliError
from cli.options import ServeOptions

UNIT = Path("etc/systemd/system/gubernator.service")
RUNNING = Path("run/systemd/system")  # there exactly where systemd is the init system: sd_booted(3)

# KillMode=process: what must outlive gbnt, the resolver among it, is not ended with it.
TEMPLATE = """\
[Unit]
Description=Gubernator, a node of a container cluster
Wants=network-online.target
After=network-online.target docker.service

[Service]
ExecStart={command}
KillMode=process
Restart=always
RestartSec=1
TimeoutStopSec=60
LimitNOFILE=1048576
{environment}
[Install]
WantedBy=multi-user.target
"""

SECRET_FILES = ("GBNT_API_TOKEN_FILE", "GBNT_WEB_PASSWORD_FILE")

Run = Callable[[Sequence[str]], int]


def install(
    options: ServeOptions,
    *,
    root: Path = Path("/"),
    run: Run = subprocess.call,
    program: Path | None = None,
) -> None:
    """Write the unit, have systemd read it, enable it and start it, saying each step.

    `root` is where the machine's file system begins, `run` runs a command and returns its status. Raises CliError
    without systemd, without the right to write the unit, and where systemd refuses.
    """
    if not (root / RUNNING).is_dir():
        raise CliError("this machine is not run by systemd: start `gbnt serve` from what starts its services instead")
    unit = root / UNIT
    text = TEMPLATE.format(command=_command(options, program or _this_program()), environment=_environment())
    try:
        unit.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(
            f"cannot write {unit} ({error.strerror}); run this as root: sudo gbnt serve --install"
        ) from error
    print(f"wrote {unit}")
    for step in (("daemon-reload",), ("enable", unit.name), ("restart", unit.name)):
        if run(("systemctl", *step)):
            raise CliError(f"`systemctl {' '.join(step)}` failed; `journalctl -u {unit.stem}` says why")
    print(f"{unit.stem} runs, and starts with the machine; `journalctl -fu {unit.stem}` shows its log")


def _command(options: ServeOptions, program: Path) -> str:
    """The command line that gives these options again. systemd reads `%` and `$` in it for itself."""
    words = [str(program), "serve", "--data-dir", str(options.data_dir), "--bind", options.bind]
    words += ["--api-port", str(options.api_port), "--telemetry-port", str(options.telemetry_port)]
    words += ["--log-level", options.log_level]
    for flag in ("advertise_addr", "node_name", "network_pool"):
        value = getattr(options, flag)
        words += [f"--{flag.replace('_', '-')}", value] if value else []
    words += ["--web", "--web-user", options.web_user] if options.web else []
    return shlex.join(words).replace("%", "%%").replace("$", "$$")


def _environment() -> str:
    """The files that secrets are read from. A secret itself is never written into a unit, which everybody may read."""
    given = {name: os.environ[name] for name in SECRET_FILES if os.environ.get(name)}
    return "".join(f'Environment="{name}={os.path.abspath(path)}"\n' for name, path in given.items())


def _this_program() -> Path:
    return Path(sys.argv[0]).absolute()
