"""The text of gbnt's systemd unit, and what can be read from it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.options import ServeOptions

# Type=notify: `systemctl start` returns once gbnt serves, or says that it does not.
# StartLimitIntervalSec=0: by its own measure systemd would give up after five ends within ten seconds.
# KillMode=process: what must outlive gbnt, the resolver among it, is not ended with it.
# The rest takes rights away that gbnt does not use. None of it may need a mount namespace: paths are to mean the same
# to gbnt as they do to the engine, and the resolver, which outlives gbnt, would keep such a namespace alive.
TEMPLATE = """\
[Unit]
Description=Gubernator, a node of a container cluster
Wants=network-online.target
After=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={command}
KillMode=process
Restart=always
RestartSec=1
TimeoutStopSec=60
WatchdogSec=60
LimitNOFILE=1048576
SyslogIdentifier=gbnt
{environment}NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""

PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def unit_text(options: ServeOptions, program: Sequence[str], environment: Mapping[str, str]) -> str:
    """The unit that gives these options again. `program` is the command line of gbnt, its first word a path.

    Secrets do not belong in `environment`: everybody may read a unit.
    """
    arguments = [*program[1:], *_words(options)]
    # `$` means something in arguments, and nothing in the path of the program and in the environment.
    command = [_quoted(program[0]), *(_quoted(word).replace("$", "$$") for word in arguments)]
    lines = [f"Environment={_quoted(f'{name}={value}')}\n" for name, value in environment.items()]
    return TEMPLATE.format(command=" ".join(command), environment="".join(lines))


def data_dir_of(text: str) -> Path | None:
    """The data directory that a unit by `unit_text` names; None where somebody wrote another."""
    found = re.search(r"^ExecStart=(.* --data-dir .*)$", text, re.MULTILINE)
    if found is None:
        return None
    words = shlex.split(found[1].replace("%%", "%").replace("$$", "$"))
    return Path(words[words.index("--data-dir") + 1])


def _words(options: ServeOptions) -> list[str]:
    words = ["serve", "--data-dir", str(options.data_dir), "--bind", options.bind]
    words += ["--api-port", str(options.api_port), "--telemetry-port", str(options.telemetry_port)]
    words += ["--link-port", str(options.link_port), "--log-level", options.log_level]
    for flag in ("advertise_addr", "api_names", "node_name", "network_pool", "log_format"):
        value = getattr(options, flag)
        words += [f"--{flag.replace('_', '-')}", value] if value else []
    return words + (["--web", "--web-user", options.web_user] if options.web else [])


def _quoted(word: str) -> str:
    """A word as systemd.syntax(7) has it. A shell's quotes are not the same: here `\\` counts within all of them."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("%", "%%")
    return escaped if PLAIN.fullmatch(word) else f'"{escaped}"'
